{{- /* A list of strings as CEL, to stand in a double-quoted text. */}}
{{- define "appcredential.cel" -}}
{{ toJson . | replace "\"" "'" }}
{{- end }}
{{- /* Whoever took the label away has not made it somebody else's: the owner stands in an annotation. */}}
{{- define "appcredential.isOurs" -}}
{{ . }}.metadata.?labels['app.kubernetes.io/managed-by'].orValue('') == 'appcredential'
{{- end }}
{{- define "appcredential.isOwned" -}}
{{ . }}.metadata.?annotations['appcredential.io/owner'].orValue('').startsWith(request.namespace + '/')
{{- end }}
{{- /* What the operator keeps of its own: scheduled revocations, and records of what was issued. */}}
{{- define "appcredential.isTicket" -}}
request.namespace == {{ .root.Release.Namespace | squote }} && ['ticket', 'issued'].exists(k, {{ .object }}.metadata.?labels['appcredential.io/' + k].orValue('') == 'true' && {{ .object }}.metadata.name.startsWith('appcredential-' + k + '-'))
{{- end }}
{{- define "appcredential.isOwnLease" -}}
{{- $others := include "appcredential.shardLeases" . | fromJsonArray }}
{{- if $others -}}
object.metadata.name in {{ include "appcredential.cel" (prepend $others "appcredential") }}
{{- else -}}
object.metadata.name == 'appcredential'
{{- end }}
{{- end }}
{{- /* An owner that does not exist would have the garbage collector delete the object. */}}
{{- define "appcredential.sameHolders" -}}
object.metadata.?ownerReferences.orValue([]) == (oldObject == null ? [] : oldObject.metadata.?ownerReferences.orValue([])) && object.metadata.?finalizers.orValue([]) == (oldObject == null ? [] : oldObject.metadata.?finalizers.orValue([]))
{{- end }}
{{- /* Where the operator writes an object whole, what somebody hung on it goes. */}}
{{- define "appcredential.noNewHolders" -}}
object.metadata.?ownerReferences.orValue([]).all(x, oldObject != null && x in oldObject.metadata.?ownerReferences.orValue([])) && object.metadata.?finalizers.orValue([]).all(x, oldObject != null && x in oldObject.metadata.?finalizers.orValue([]))
{{- end }}

{{- /* Keys that mutating admission adds to whatever anybody writes: a policy sees an object after that. */}}
{{- define "appcredential.isAdded" -}}
{{- $keys := list }}{{ $prefixes := list }}
{{- range .Values.admissionPolicies.alsoAllowedKeys }}
{{- if hasSuffix "/" . }}{{ $prefixes = append $prefixes . }}{{ else }}{{ $keys = append $keys . }}{{ end }}
{{- end -}}
(k in {{ include "appcredential.cel" $keys }} || {{ include "appcredential.cel" $prefixes }}.exists(p, k.startsWith(p)))
{{- end }}
{{- /* Whether two maps are the same but for these keys. */}}
{{- define "appcredential.sameKeys" -}}
[{{ .old }}, {{ .new }}].all(side, side.all(k, {{ include "appcredential.isAdded" .root }} || (k in {{ .old }} && k in {{ .new }} && {{ .old }}[k] == {{ .new }}[k])))
{{- end }}

{{- /* A part of a custom resource, which a manifest may leave out or empty. */}}
{{- define "appcredential.partOf" -}}
[variables.{{ index . 0 }}.?{{ index . 1 }}.orValue(null)].map(m, m == null ? dyn({}) : m)[0]
{{- end }}

{{- /*
What the operator's own user may write, by what an object is and not by what it is called: a stolen token of it
must not make anything that Kubernetes or another tool acts on. Lists: files/reserved.yaml.
*/}}
{{- define "appcredential.policies" }}
{{- $reserved := .Files.Get "files/reserved.yaml" | fromYaml }}
{{- $finalizer := "appcredential.io/credential" }}
{{- $isReserved := printf "request.namespace in %s" (include "appcredential.cel" $reserved.namespaces) }}
{{- $home := .Release.Namespace | squote }}
{{- $isAdded := include "appcredential.isAdded" . }}
{{- $sameLabels := include "appcredential.sameKeys" (dict "root" . "old" "variables.oldLabels" "new" "variables.labels") }}
{{- $sameAnnotations := include "appcredential.sameKeys" (dict "root" . "old" "variables.oldAnnotations" "new" "variables.annotations") }}
{{- $keys := concat $reserved.allowedKeys (keys .Values.secretLabels | sortAlpha) }}
{{- $prefixes := list }}
{{- range splitList "," (default "" .Values.settings.allowedSecretKeys) }}
{{- $entry := trim . }}
{{- if hasSuffix "/" $entry }}{{ $prefixes = append $prefixes $entry }}{{ else if $entry }}{{ $keys = append $keys $entry }}{{ end }}
{{- end }}
{{- $variables := list
  (dict "name" "isWrite" "expression" "request.operation != 'DELETE'")
  (dict "name" "labels" "expression" "object.metadata.?labels.orValue({})")
  (dict "name" "annotations" "expression" "object.metadata.?annotations.orValue({})")
  (dict "name" "oldLabels" "expression" "oldObject == null ? {} : oldObject.metadata.?labels.orValue({})")
  (dict "name" "oldAnnotations" "expression" "oldObject == null ? {} : oldObject.metadata.?annotations.orValue({})")
  (dict "name" "hasAllowedKeys" "expression" (printf "variables.labels.all(k, %s || k in %s || %s.exists(p, k.startsWith(p)) || (k in variables.oldLabels && variables.oldLabels[k] == variables.labels[k])) && variables.annotations.all(k, %s || k in %s || %s.exists(p, k.startsWith(p)) || (k in variables.oldAnnotations && variables.oldAnnotations[k] == variables.annotations[k]) || (k in %s && variables.annotations[k] == %s[k]))"
    $isAdded (append $keys "app.kubernetes.io/managed-by" | include "appcredential.cel") (include "appcredential.cel" $prefixes) $isAdded (include "appcredential.cel" $keys) (append $prefixes "appcredential.io/" | include "appcredential.cel") (include "appcredential.cel" $reserved.unpruned) (include "appcredential.cel" $reserved.unpruned)))
}}
secrets:
  rules:
    - {apiGroups: [""], resources: [secrets], operations: [CREATE, UPDATE, DELETE]}
  variables:
    {{- toYaml $variables | nindent 4 }}
    # Its own credential, where a person allowed by the label that the operator renews it.
    - name: isIdentity
      expression: "request.operation == 'UPDATE' && request.namespace == {{ $home }} && [object, oldObject].all(x, x.metadata.?labels['appcredential.io/identity'].orValue('') == 'true') && !({{ include "appcredential.isOurs" "oldObject" }}) && oldObject.type in ['Opaque', 'kubernetes.io/tls'] && object.type == oldObject.type"
  validations:
    - expression: "!variables.isIdentity || ({{ $sameLabels }} && {{ include "appcredential.sameHolders" . }} && [variables.annotations, variables.oldAnnotations].all(side, side.all(k, k == 'appcredential.io/identity-rotation' || {{ $isAdded }} || (k in variables.annotations && k in variables.oldAnnotations && variables.annotations[k] == variables.oldAnnotations[k]))))"
      message: the operator may change nothing but the content and its own record of the Secret with its own credential
    - expression: "!variables.isWrite || variables.isIdentity || {{ include "appcredential.isOurs" "object" }}"
      message: the operator may write Secrets only with the label app.kubernetes.io/managed-by=appcredential
    - expression: "!variables.isWrite || variables.isIdentity || object.type in ['Opaque', 'appcredential.io/pending']"
      message: the operator may write Secrets of type Opaque and appcredential.io/pending only
    - expression: "!variables.isWrite || (object.type == 'appcredential.io/pending') == object.metadata.name.startsWith('appcredential-pending-')"
      message: the operator may give names that begin with appcredential-pending- to Secrets of type appcredential.io/pending, and to no others
    - expression: "!variables.isWrite || !{{ without $reserved.secretNames "appcredential-pending-" | include "appcredential.cel" }}.exists(p, object.metadata.name.startsWith(p))"
      message: the operator may write no Secrets whose names belong to Helm or Kubernetes
    - expression: "!variables.isWrite || !(object.metadata.name in {{ include "appcredential.cel" $reserved.exactSecretNames }})"
      message: the operator may write no Secrets that other tools look for by their names
    - expression: "!({{ $isReserved }})"
      message: the operator may write no Secrets in namespaces of Kubernetes
    - expression: "!variables.isWrite || variables.isIdentity || {{ include "appcredential.isOwned" "object" }}"
      message: the operator may write Secrets only with the annotation appcredential.io/owner that names an AppCredential of the namespace
    - expression: "!variables.isWrite || variables.hasAllowedKeys"
      message: the operator may set no labels and annotations that other tools could act on
    - expression: "!variables.isWrite || ({{ include "appcredential.noNewHolders" . }} && (object.type == 'appcredential.io/pending' || ({{ include "appcredential.sameHolders" . }})))"
      message: the operator may set and remove no owners and no finalizers of Secrets
    - expression: "request.operation == 'CREATE' || variables.isIdentity || oldObject.type == 'appcredential.io/pending' || (oldObject.type == 'Opaque' && ({{ include "appcredential.isOurs" "oldObject" }} || {{ include "appcredential.isOwned" "oldObject" }} || (variables.isWrite && 'appcredential.io/adopt' in variables.oldAnnotations)))"
      message: the operator may change and delete only Secrets of its own, and take over those that their owner offers by the annotation appcredential.io/adopt
configmaps:
  rules:
    - {apiGroups: [""], resources: [configmaps], operations: [CREATE, UPDATE, DELETE]}
  variables:
    {{- toYaml $variables | nindent 4 }}
    - name: isTicket
      expression: {{ include "appcredential.isTicket" (dict "root" . "object" "object") | quote }}
    - name: wasTicket
      expression: {{ include "appcredential.isTicket" (dict "root" . "object" "oldObject") | quote }}
  validations:
    - expression: "!variables.isWrite || variables.isTicket || {{ include "appcredential.isOurs" "object" }}"
      message: the operator may write ConfigMaps only with the label app.kubernetes.io/managed-by=appcredential, and tickets and records in its own namespace
    - expression: "!variables.isWrite || variables.isTicket || {{ include "appcredential.isOwned" "object" }}"
      message: the operator may write ConfigMaps only with the annotation appcredential.io/owner that names an AppCredential of the namespace
    - expression: "(variables.isWrite ? variables.isTicket : variables.wasTicket) || !({{ $isReserved }})"
      message: the operator may write no ConfigMaps in namespaces of Kubernetes
    - expression: "!variables.isWrite || !(object.metadata.name in {{ include "appcredential.cel" $reserved.configMapNames }})"
      message: the operator may write no ConfigMaps that other tools look for by their names
    - expression: "!variables.isWrite || (variables.isTicket ? variables.labels.all(k, k in ['appcredential.io/ticket', 'appcredential.io/issued'] || {{ $isAdded }}) && variables.annotations.all(k, k in variables.oldAnnotations || {{ $isAdded }}) : variables.hasAllowedKeys)"
      message: the operator may set no labels and annotations that other tools could act on
    - expression: "!variables.isWrite || ({{ include "appcredential.noNewHolders" . }} && (variables.isTicket || ({{ include "appcredential.sameHolders" . }})))"
      message: the operator may set and remove no owners and no finalizers of ConfigMaps
    - expression: "request.operation == 'CREATE' || variables.wasTicket || {{ include "appcredential.isOurs" "oldObject" }} || {{ include "appcredential.isOwned" "oldObject" }}"
      message: the operator may change and delete only ConfigMaps of its own
serviceaccounts:
  rules:
    - {apiGroups: [""], resources: [serviceaccounts], operations: [CREATE, UPDATE, DELETE]}
  variables:
    {{- toYaml (slice $variables 0 5) | nindent 4 }}
    # Whose the ids are, as in domain/facts/annotations.py.
    - name: clientId
      expression: "variables.oldAnnotations[?'azure.workload.identity/client-id'].orValue('')"
    - name: wiredBy
      expression: "variables.oldAnnotations[?'appcredential.io/wired-by'].orValue('')"
    - name: isFree
      expression: "variables.clientId == '' && variables.oldAnnotations[?'azure.workload.identity/tenant-id'].orValue('') == ''"
    - name: isWired
      expression: "variables.wiredBy != '' && (variables.clientId == '' || variables.wiredBy.endsWith('/' + variables.clientId))"
  validations:
    - expression: "request.operation == 'UPDATE'"
      message: the operator neither creates nor deletes ServiceAccounts
    - expression: "!({{ $isReserved }}) && !(request.namespace == {{ $home }} && request.name == {{ include "appcredential.serviceAccountName" . | squote }})"
      message: the operator may change no ServiceAccounts of Kubernetes, and not its own
    - expression: "request.operation != 'UPDATE' || (object.?secrets == oldObject.?secrets && object.?imagePullSecrets == oldObject.?imagePullSecrets && object.?automountServiceAccountToken == oldObject.?automountServiceAccountToken && {{ $sameLabels }} && {{ include "appcredential.sameHolders" . }})"
      message: the operator may change nothing but annotations of a ServiceAccount
    - expression: "request.operation != 'UPDATE' || [variables.annotations, variables.oldAnnotations].all(side, side.all(k, k in ['azure.workload.identity/client-id', 'azure.workload.identity/tenant-id', 'appcredential.io/wired-by'] || {{ $isAdded }} || (k in variables.annotations && k in variables.oldAnnotations && variables.annotations[k] == variables.oldAnnotations[k])))"
      message: the operator may set only the annotations azure.workload.identity/client-id, azure.workload.identity/tenant-id and appcredential.io/wired-by of a ServiceAccount
    - expression: "request.operation != 'UPDATE' || variables.isWired || variables.isFree || (['azure.workload.identity/client-id', 'azure.workload.identity/tenant-id'].all(k, variables.annotations[?k] == variables.oldAnnotations[?k]) && (!('appcredential.io/wired-by' in variables.annotations) || variables.wiredBy == variables.annotations['appcredential.io/wired-by']))"
      message: the operator may not replace what somebody else annotated a ServiceAccount with
tokens:
  rules:
    - {apiGroups: [""], resources: [serviceaccounts/token], operations: [CREATE]}
  validations:
    - expression: "has(object.spec.audiences) && size(object.spec.audiences) > 0 && object.spec.audiences.all(a, a in {{ include "appcredential.cel" .Values.admissionPolicies.tokenAudiences }})"
      message: {{ printf "the operator may ask for tokens only for %s" (join ", " .Values.admissionPolicies.tokenAudiences) | quote }}
    - expression: "!({{ $isReserved }})"
      message: the operator may ask for no tokens of ServiceAccounts of Kubernetes
{{- if .Values.rbac.restarts }}
workloads:
  rules:
    - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [CREATE, UPDATE, DELETE]}
    - {apiGroups: [argoproj.io], resources: [rollouts], operations: [CREATE, UPDATE, DELETE]}
  variables:
    {{- toYaml (slice $variables 0 5) | nindent 4 }}
    # Whole, so that a field of a later Kubernetes is compared too.
    - name: spec
      expression: dyn(object.spec)
    - name: oldSpec
      expression: dyn(oldObject.spec)
    - name: template
      expression: {{ list "spec" "template" | include "appcredential.partOf" | quote }}
    - name: oldTemplate
      expression: {{ list "oldSpec" "template" | include "appcredential.partOf" | quote }}
    - name: marks
      expression: {{ list "template" "metadata" | include "appcredential.partOf" | quote }}
    - name: oldMarks
      expression: {{ list "oldTemplate" "metadata" | include "appcredential.partOf" | quote }}
    - name: stamps
      expression: {{ list "marks" "annotations" | include "appcredential.partOf" | quote }}
    - name: oldStamps
      expression: {{ list "oldMarks" "annotations" | include "appcredential.partOf" | quote }}
  validations:
    - expression: "request.operation == 'UPDATE'"
      message: the operator neither creates nor deletes workloads
    - expression: "!({{ $isReserved }})"
      message: the operator may restart no workloads in namespaces of Kubernetes
    - expression: "request.operation != 'UPDATE' || ({{ $sameLabels }} && {{ include "appcredential.sameHolders" . }} && [variables.annotations, variables.oldAnnotations].all(side, side.all(k, k == 'deprecated.daemonset.template.generation' || {{ $isAdded }} || (k in variables.annotations && k in variables.oldAnnotations && variables.annotations[k] == variables.oldAnnotations[k]))))"
      message: the operator may change no labels, annotations, owners and finalizers of workloads
    {{- range $new, $part := dict "spec" "template" "template" "metadata" "marks" "annotations" }}
    {{- $old := printf "old%s" (title $new) }}
    - expression: "request.operation != 'UPDATE' || [variables.{{ $new }}, variables.{{ $old }}].all(side, side.all(k, k == '{{ $part }}' || (k in variables.{{ $new }} && k in variables.{{ $old }} && variables.{{ $new }}[k] == variables.{{ $old }}[k])))"
      message: the operator may change nothing but annotations of a workload's pod template
    {{- end }}
    - expression: "request.operation != 'UPDATE' || [variables.stamps, variables.oldStamps].all(side, side.all(k, k == 'appcredential.io/restarted-at' || {{ $isAdded }} || (k in variables.stamps && k in variables.oldStamps && variables.stamps[k] == variables.oldStamps[k])))"
      message: the operator may set only the annotation appcredential.io/restarted-at of a pod template
    - expression: "request.operation != 'UPDATE' || variables.stamps[?'appcredential.io/restarted-at'].orValue('').matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$')"
      message: the operator may set appcredential.io/restarted-at of a pod template to nothing but a time
{{- end }}
resources:
  rules:
    - apiGroups: [appcredential.io]
      resources: [appcredentials, entratenants, applicationgrants, appcredentials/status, entratenants/status, applicationgrants/status]
      operations: [CREATE, UPDATE, DELETE]
  variables:
    {{- toYaml (slice $variables 0 5) | nindent 4 }}
  validations:
    - expression: "request.operation == 'UPDATE' && object.spec == oldObject.spec"
      message: the operator may write status and its finalizer of appcredential.io objects, never their spec
    - expression: "request.operation != 'UPDATE' || ({{ $sameLabels }} && {{ $sameAnnotations }})"
      message: the operator may change no labels and annotations of appcredential.io objects
    - expression: "request.operation != 'UPDATE' || (object.metadata.?ownerReferences.orValue([]) == oldObject.metadata.?ownerReferences.orValue([]) && [object, oldObject].all(x, x.metadata.?finalizers.orValue([]).all(f, (f == '{{ $finalizer }}' && request.resource.resource != 'applicationgrants') || [object, oldObject].all(y, f in y.metadata.?finalizers.orValue([])))))"
      message: the operator may change no owners and no finalizer but its own of appcredential.io objects
    - expression: "request.operation != 'UPDATE' || request.resource.resource != 'appcredentials' || has(oldObject.metadata.deletionTimestamp) || !('{{ $finalizer }}' in oldObject.metadata.?finalizers.orValue([])) || '{{ $finalizer }}' in object.metadata.?finalizers.orValue([])"
      message: the operator may take its finalizer only from an AppCredential that is being deleted
    {{- with .Values.watchNamespaces }}
    - expression: "request.resource.resource != 'appcredentials' || request.namespace in {{ include "appcredential.cel" . }}"
      message: the operator may write AppCredentials only in the namespaces that it serves
    {{- end }}
leases:
  rules:
    - {apiGroups: [coordination.k8s.io], resources: [leases], operations: [CREATE, UPDATE, DELETE]}
  variables:
    {{- toYaml (slice $variables 0 5) | nindent 4 }}
  validations:
    - expression: "request.operation != 'DELETE' && ((request.namespace == {{ $home }} && {{ include "appcredential.isOwnLease" . }}) || (request.namespace == {{ include "appcredential.claimNamespace" . | squote }} && object.metadata.name == 'appcredential-claim'))"
      message: the operator may write only its own Lease, and the one that claims the cluster
    - expression: "!variables.isWrite || ({{ $sameLabels }} && {{ $sameAnnotations }} && {{ include "appcredential.sameHolders" . }})"
      message: the operator may write nothing but the spec of its Lease
events:
  rules:
    - {apiGroups: [events.k8s.io], resources: [events], operations: [CREATE, UPDATE, DELETE]}
  validations:
    - expression: "request.operation == 'CREATE' && object.?reportingController.orValue('') == 'appcredential.io/operator'"
      message: the operator may only create Events, and only under its own name
    - expression: "request.operation != 'CREATE' || (object.?regarding.apiVersion.orValue('').startsWith('appcredential.io/') && object.?regarding.namespace.orValue('') == (request.namespace == 'default' && object.?regarding.kind.orValue('') in ['EntraTenant', 'ApplicationGrant'] ? '' : request.namespace))"
      message: the operator may create Events only about appcredential.io objects
    - expression: "request.operation != 'CREATE' || (object.metadata.?labels.orValue({}).all(k, {{ $isAdded }}) && object.metadata.?annotations.orValue({}).all(k, k == 'appcredential.io/audit' || {{ $isAdded }}) && !has(object.metadata.ownerReferences) && !has(object.metadata.finalizers))"
      message: the operator may create Events only without labels, owners and finalizers, and annotated with nothing but its record
{{- end }}
