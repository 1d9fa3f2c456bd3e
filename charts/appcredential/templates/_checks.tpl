{{- /* What a schema cannot say. */}}
{{- define "appcredential.checks" -}}
{{- include "appcredential.settingChecks" . }}
{{- if .Values.trial.enabled }}
{{- range $name, $spec := .Values.tenants }}
{{- if ne (toString $spec.cloud) "Custom" }}
{{- fail (printf "tenants.%s.cloud is %s, but trial.enabled serves only Custom: a trial must never reach a real tenant. Remove the tenant or set trial.enabled=false." $name $spec.cloud) }}
{{- end }}
{{- end }}
{{- if .Capabilities.APIVersions.Has "appcredential.io/v1alpha1/EntraTenant" }}
{{- range (lookup "appcredential.io/v1alpha1" "EntraTenant" "" "").items }}
{{- if ne .spec.cloud "Custom" }}
{{- fail (printf "this cluster has the EntraTenant %s of cloud %s: a trial would take its AppCredentials for its own, and renew none of them. Try it on another cluster, or delete that tenant first." .metadata.name .spec.cloud) }}
{{- end }}
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
{{- if and .Values.rbac.restarts (not .Values.admissionPolicies.enabled) }}
{{- fail "rbac.restarts without admissionPolicies.enabled lets the operator change any workload in any way: set admissionPolicies.enabled=true, which leaves it one annotation of their pod templates." }}
{{- end }}
{{- if ne (empty .Values.custom.authority) (empty .Values.custom.graph) }}
{{- fail "custom.authority and custom.graph go together: set both or none." }}
{{- end }}
{{- if and .Values.workloadIdentity.webhook (not .Values.workloadIdentity.clientId) }}
{{- fail "workloadIdentity.clientId is missing: the webhook needs it when workloadIdentity.webhook is true." }}
{{- end }}
{{- /* Else helm would take the rights everywhere away, and then fail at the Role. Without a cluster nothing is found. */}}
{{- if and .Values.watchNamespaces .Values.rbac.create (lookup "v1" "Namespace" "" "kube-system") }}
{{- range without .Values.watchNamespaces (ternary .Values.trial.namespace "" .Values.trial.enabled) }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- fail (printf "watchNamespaces has %s, which does not exist: create that namespace first, or take it from the list." .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $monitor := list "serviceMonitor" "podMonitor" }}
{{- if and (index $.Values.metrics $monitor).enabled (not $.Values.networkPolicy.metricsFrom) }}
{{- fail (printf "metrics.%s.enabled, but nobody may read the metrics: name Prometheus in networkPolicy.metricsFrom, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]." $monitor) }}
{{- end }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if hasPrefix "APPCREDENTIAL_" .name }}
{{- fail (printf "extraEnv sets %s, which is a setting: use settings.%s instead." .name (trimPrefix "APPCREDENTIAL_" .name | lower | camelcase | untitle)) }}
{{- end }}
{{- end }}
{{- range $value := list "commonLabels" "podLabels" }}
{{- range $label, $_ := index $.Values $value }}
{{- if or (hasPrefix "app.kubernetes.io/" $label) (hasPrefix "helm.sh/" $label) }}
{{- fail (printf "%s sets %s, by which the chart and helm know their own objects: choose another label." $value $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
