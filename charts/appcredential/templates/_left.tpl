{{- /*
Names of what the values of an earlier revision made and those of this one lack, as JSON: they are kept. Takes `root`,
`kind` and the map `named` of the values. Only what bears the marks of this release and of the values counts: neither
what a person made or applies by now, nor what extraObjects make, also from this revision on. Without a cluster nothing is found.
*/}}
{{- define "appcredential.left" -}}
{{- $root := .root }}
{{- $named := .named }}
{{- $marks := dict "app.kubernetes.io/part-of" "appcredential" "app.kubernetes.io/component" "operator" "app.kubernetes.io/instance" $root.Release.Name "meta.helm.sh/release-name" $root.Release.Name "meta.helm.sh/release-namespace" $root.Release.Namespace "helm.sh/resource-policy" "keep" }}
{{- $left := list }}
{{- $extra := list }}
{{- range $root.Values.extraObjects }}{{ $extra = append $extra (tpl (kindIs "string" . | ternary . (toYaml .)) $root) }}{{ end }}
{{- /* Whoever may create the roles may also list what they are about. */}}
{{- $may := or $root.Values.rbac.create (include "appcredential.prunesGrants" $root) }}
{{- if and $may ($root.Capabilities.APIVersions.Has (printf "appcredential.io/v1alpha1/%s" .kind)) }}
{{- range (lookup "appcredential.io/v1alpha1" .kind "" "").items }}
{{- $found := merge dict (default dict .metadata.labels) (default dict .metadata.annotations) }}
{{- $ours := not (or (hasKey $named .metadata.name) .metadata.deletionTimestamp) }}
{{- range $mark, $value := $marks }}
{{- if ne (get $found $mark) $value }}{{ $ours = false }}{{ end }}
{{- end }}
{{- $moved := regexMatch (printf "(?m)\\bname: *[\"']?%s([\"',}[:space:]]|$)" (.metadata.name | replace "." "[.]")) (join "\n" $extra) }}
{{- if and $ours (not $moved) (not (include "appcredential.appliedByOthers" .)) }}{{ $left = append $left .metadata.name }}{{ end }}
{{- end }}
{{- end }}
{{- toJson $left }}
{{- end }}

{{- /*
Whether somebody else than the chart declares an object, such as Flux under the same name: "true" or nothing. Helm's marks
survive that. The chart's own manager, whatever its name, owns the mark that the templates make; if two do, one of them applies
what was exported with it. An edit declares nothing.
*/}}
{{- define "appcredential.appliedByOthers" -}}
{{- $markers := list }}
{{- $appliers := list }}
{{- range .metadata.managedFields }}
{{- $fields := default dict .fieldsV1 }}
{{- $annotations := dig "f:metadata" "f:annotations" dict $fields }}
{{- $applies := and (eq .operation "Apply") (hasKey $fields "f:spec") }}
{{- if hasKey $annotations "f:helm.sh/resource-policy" }}{{ $markers = append $markers .manager }}{{ end }}
{{- if or $applies (hasKey $annotations "f:kubectl.kubernetes.io/last-applied-configuration") }}{{ $appliers = append $appliers .manager }}{{ end }}
{{- end }}
{{- range $appliers }}
{{- if or (not (has . $markers)) (gt (len (uniq $markers)) 1) }}true{{ end }}
{{- end }}
{{- end }}

{{- /* The grants that an upgrade removes, as JSON. */}}
{{- define "appcredential.prunedGrants" -}}
{{- if and (include "appcredential.prunesGrants" .) .Release.IsUpgrade -}}
{{ include "appcredential.left" (dict "root" . "kind" "ApplicationGrant" "named" .Values.grants) }}
{{- else -}}
[]
{{- end }}
{{- end }}

{{- /* Twenty names, and how many more there are. */}}
{{- define "appcredential.some" -}}
{{ join ", " (slice . 0 (min 20 (len .))) }}{{ if gt (len .) 20 }} and {{ sub (len .) 20 }} more{{ end }}
{{- end }}

{{- /* Whether an upgrade removes grants: "true" or nothing. A release from before this value has none. */}}
{{- define "appcredential.prunesGrants" -}}
{{ if (default dict .Values.prune).grants }}true{{ end }}
{{- end }}
