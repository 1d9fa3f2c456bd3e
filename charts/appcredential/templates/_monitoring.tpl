{{- /* Whether an object of the Prometheus operator is rendered; see renderMode. */}}
{{- define "appcredential.monitoring" -}}
{{- $wanted := index .root.Values.metrics .value }}
{{- if $wanted.enabled }}
{{- $known := .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) }}
{{- if and (not $known) (eq $wanted.renderMode "failIfMissing") }}
{{- fail (printf "metrics.%s.enabled needs the kind %s, which this cluster does not have: install the Prometheus operator, or set metrics.%s.renderMode to skipIfMissing." .value .kind .value) }}
{{- end }}
{{- if or $known (eq $wanted.renderMode "alwaysRender") }}true{{ end }}
{{- end }}
{{- end }}

{{- /* One alert, from a dict with root, and alert and parts of files/alerts.yaml. */}}
{{- define "appcredential.alert" -}}
{{- $rules := .root.Values.metrics.rules }}
{{- $expr := .alert.expr }}
{{- range $name, $part := .parts }}{{ $expr = replace (printf "%%%s%%" $name) $part $expr }}{{ end }}
{{- range $name, $value := $rules }}
{{- if hasSuffix "Seconds" $name }}{{ $expr = replace (printf "%%%s%%" $name) (int64 $value | toString) $expr }}{{ end }}
{{- end }}
{{- $shards := include "appcredential.shards" .root }}
{{- $expr = $expr | replace "%quotaRatio%" (toString $rules.quotaRatio) | replace "%shards%" $shards -}}
- alert: {{ .alert.name }}
  expr: |
    {{- $expr | trim | nindent 4 }}
  {{- with .alert.for }}
  for: {{ get $rules . | default . }}
  {{- end }}
  labels:
    severity: {{ .alert.severity }}
    {{- with $rules.alertLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    summary: {{ replace "%shards%" $shards .alert.summary | quote }}
    description: {{ .alert.description | quote }}
    runbook_url: {{ printf "%s/%s.md" $rules.runbookUrl .alert.name | quote }}
{{- end }}
