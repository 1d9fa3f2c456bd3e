{{- /* The container's environment. docs/settings.md lists every variable. */}}
{{- define "appcredential.env" -}}
- name: APPCREDENTIAL_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: APPCREDENTIAL_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: APPCREDENTIAL_INSTALLATION
  value: {{ include "appcredential.fullname" . | quote }}
{{- if .Values.watchNamespaces }}
- name: APPCREDENTIAL_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
{{- end }}
{{- if include "appcredential.watchSecrets" . }}
- name: APPCREDENTIAL_WATCH_SECRETS
  value: "true"
{{- end }}
{{- with .Values.secretLabels }}
{{- $pairs := list }}
{{- range $key, $value := . }}{{ $pairs = append $pairs (printf "%s=%s" $key $value) }}{{ end }}
- name: APPCREDENTIAL_SECRET_LABELS
  value: {{ join "," $pairs | quote }}
{{- end }}
{{- if .Values.trial.enabled }}
- name: APPCREDENTIAL_TRIAL
  value: "true"
{{- /* What the emulator knows is gone with its pod, which is not to go unnoticed for an hour. */}}
{{- if not (hasKey .Values.settings "directoryResync") }}
- name: APPCREDENTIAL_DIRECTORY_RESYNC
  value: 1m
{{- end }}
- name: APPCREDENTIAL_CUSTOM_AUTHORITY
  value: {{ printf "https://%s:8443" (include "appcredential.trialHost" .) }}
- name: APPCREDENTIAL_CUSTOM_GRAPH
  value: {{ printf "https://%s:8443" (include "appcredential.trialHost" .) }}
{{- else if .Values.custom.authority }}
- name: APPCREDENTIAL_CUSTOM_AUTHORITY
  value: {{ .Values.custom.authority | quote }}
- name: APPCREDENTIAL_CUSTOM_GRAPH
  value: {{ .Values.custom.graph | quote }}
{{- end }}
{{- if or .Values.trial.enabled .Values.custom.ca.secretName }}
- name: APPCREDENTIAL_CUSTOM_CA_FILE
  value: /etc/appcredential/custom/ca.pem
{{- end }}
{{- if .Values.caBundle }}
- name: APPCREDENTIAL_CA_FILE
  value: /etc/appcredential/ca/ca.pem
{{- end }}
{{- /* Else only the pod itself reads the metrics, also where no network plugin enforces policies. */}}
{{- if .Values.networkPolicy.metricsFrom }}
- name: APPCREDENTIAL_METRICS_ADDRESS
  value: ""
{{- end }}
{{- if .Values.report.enabled }}
- name: APPCREDENTIAL_REPORT
  value: "true"
- name: APPCREDENTIAL_REPORT_TEAM_LABEL
  value: {{ .Values.report.teamLabel | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: APPCREDENTIAL_{{ snakecase $name | upper }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- if .Values.workloadIdentity.enabled }}
- name: AZURE_FEDERATED_TOKEN_FILE
  value: /var/run/secrets/azure/tokens/azure-identity-token
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
