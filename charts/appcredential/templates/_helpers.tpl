{{- define "appcredential.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "appcredential.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "appcredential.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Cluster-scoped objects carry the namespace too, so that two installations do not meet. */}}
{{- define "appcredential.clusterName" -}}
{{- printf "%s.%s" (include "appcredential.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "appcredential.serviceAccountName" -}}
{{- default (include "appcredential.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "appcredential.username" -}}
{{- printf "system:serviceaccount:%s:%s" .Release.Namespace (include "appcredential.serviceAccountName" .) }}
{{- end }}

{{- /* Where installations in one cluster exclude each other. */}}
{{- define "appcredential.claimNamespace" -}}
{{ default "default" .Values.settings.claimNamespace }}
{{- end }}

{{- /* Whether published Secrets are watched: "true" or nothing. Unset, where the chart gives the right by namespaces. */}}
{{- define "appcredential.watchSecrets" -}}
{{- $asked := .Values.rbac.watchSecrets }}
{{- if ternary $asked (and .Values.rbac.create (not (empty .Values.watchNamespaces))) (kindIs "bool" $asked) }}true{{ end }}
{{- end }}

{{- /* Whether grants may select namespaces by labels: "true" or nothing. Unset, where the operator serves the whole cluster. */}}
{{- define "appcredential.selectNamespaces" -}}
{{- $asked := .Values.rbac.selectNamespaces }}
{{- if ternary $asked (empty .Values.watchNamespaces) (kindIs "bool" $asked) }}true{{ end }}
{{- end }}

{{- define "appcredential.sharedLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "appcredential.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: appcredential
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "appcredential.labels" -}}
{{ include "appcredential.shardLabels" (dict "root" . "shard" 0) }}
{{- end }}

{{- /* Into how many operators the namespaces are divided. A release from before there were any has no such value. */}}
{{- define "appcredential.shards" -}}
{{ max 1 (int .Values.shards) }}
{{- end }}

{{- /* After the names of what each shard has of its own; the first has the names that one operator has. */}}
{{- define "appcredential.shardSuffix" -}}
{{ if . }}{{ printf "-shard-%d" . }}{{ end }}
{{- end }}

{{- /* The Leases of all shards but the first, as JSON. */}}
{{- define "appcredential.shardLeases" -}}
{{- $names := list }}
{{- range $shard := include "appcredential.shards" . | int | until | rest }}{{ $names = append $names (printf "appcredential-shard-%d" $shard) }}{{ end }}
{{- toJson $names }}
{{- end }}

{{- /* Pods of another shard must not match the first one's selector, which cannot be changed. */}}
{{- define "appcredential.component" -}}
operator{{ include "appcredential.shardSuffix" . }}
{{- end }}

{{- define "appcredential.shardSelectorLabels" -}}
app.kubernetes.io/name: {{ include "appcredential.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ include "appcredential.component" .shard }}
{{- end }}

{{- define "appcredential.shardLabels" -}}
{{ include "appcredential.sharedLabels" .root }}
app.kubernetes.io/component: {{ include "appcredential.component" .shard }}
{{- end }}

{{- /* A selector of the pods, or Services, of all shards. */}}
{{- define "appcredential.allSelector" -}}
{{- $shards := include "appcredential.shards" . | int }}
{{- if eq $shards 1 -}}
matchLabels:
  {{- include "appcredential.shardSelectorLabels" (dict "root" . "shard" 0) | nindent 2 }}
{{- else -}}
matchLabels:
  app.kubernetes.io/name: {{ include "appcredential.name" . }}
  app.kubernetes.io/instance: {{ .Release.Name }}
matchExpressions:
  - key: app.kubernetes.io/component
    operator: In
    values:
      {{- range $shard := until $shards }}
      - {{ include "appcredential.component" $shard }}
      {{- end }}
{{- end }}
{{- end }}

{{- /* An image's name from a map with registry, repository, tag and digest. */}}
{{- define "appcredential.image" -}}
{{- $image := .image }}
{{- $name := $image.repository }}
{{- if $image.registry }}{{ $name = printf "%s/%s" $image.registry $name }}{{ end }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "appcredential.subject" -}}
- kind: ServiceAccount
  name: {{ include "appcredential.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "appcredential.trialName" -}}
{{- printf "%s-entra" (include "appcredential.fullname" .) }}
{{- end }}

{{- define "appcredential.trialHost" -}}
{{- printf "%s.%s.svc" (include "appcredential.trialName" .) .Release.Namespace }}
{{- end }}
