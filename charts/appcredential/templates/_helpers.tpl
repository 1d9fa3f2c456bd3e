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

{{- define "appcredential.selectorLabels" -}}
app.kubernetes.io/name: {{ include "appcredential.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
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
{{ include "appcredential.sharedLabels" . }}
app.kubernetes.io/component: operator
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

{{- /* What a schema cannot say. */}}
{{- define "appcredential.checks" -}}
{{- if .Values.trial.enabled }}
{{- range $name, $spec := .Values.tenants }}
{{- if ne (toString $spec.cloud) "Custom" }}
{{- fail (printf "tenants.%s.cloud is %s, but trial.enabled serves only Custom: a trial must never reach a real tenant. Remove the tenant or set trial.enabled=false." $name $spec.cloud) }}
{{- end }}
{{- end }}
{{- if hasKey .Values.tenants "default" }}
{{- fail "tenants.default is made by the trial itself: name yours differently or set trial.enabled=false." }}
{{- end }}
{{- if .Values.custom.authority }}
{{- fail "custom.authority is set by the trial itself: leave it empty or set trial.enabled=false." }}
{{- end }}
{{- if and .Values.watchNamespaces (not (has .Values.trial.namespace .Values.watchNamespaces)) }}
{{- fail "trial.namespace is not among watchNamespaces: add it there." }}
{{- end }}
{{- end }}
{{- range $name, $spec := .Values.tenants }}
{{- if and (hasKey $spec.identity "workloadIdentity") (not $.Values.workloadIdentity.enabled) (not $.Values.workloadIdentity.webhook) }}
{{- fail (printf "tenants.%s signs in by workloadIdentity, for which no token is mounted: set workloadIdentity.enabled=true, or workloadIdentity.webhook=true where the webhook mounts one." $name) }}
{{- end }}
{{- if and (hasKey $spec.identity "managedIdentity") $.Values.networkPolicy.enabled (not $.Values.managedIdentity.enabled) }}
{{- fail (printf "tenants.%s signs in by managedIdentity, whose endpoint the NetworkPolicy keeps out of reach: set managedIdentity.enabled=true." $name) }}
{{- end }}
{{- end }}
{{- if and .Values.rbac.create .Values.rbac.tokenRequests (not .Values.admissionPolicies.enabled) }}
{{- fail "rbac.tokenRequests without admissionPolicies.enabled lets the operator become any ServiceAccount: set admissionPolicies.enabled=true, which leaves it only the audiences of admissionPolicies.tokenAudiences." }}
{{- end }}
{{- if ne (empty .Values.custom.authority) (empty .Values.custom.graph) }}
{{- fail "custom.authority and custom.graph go together: set both or none." }}
{{- end }}
{{- if and .Values.workloadIdentity.webhook (not .Values.workloadIdentity.clientId) }}
{{- fail "workloadIdentity.clientId is missing: the webhook needs it when workloadIdentity.webhook is true." }}
{{- end }}
{{- end }}
