{{- /* What the operator would refuse at its start, so that an upgrade fails in place of its pods. */}}
{{- define "appcredential.settingChecks" -}}
{{- $rules := .Files.Get "files/settings.yaml" | fromYaml }}
{{- $settings := .Values.settings }}
{{- range $rules.sums }}
{{- $sum := 0 }}
{{- $told := list }}
{{- range .parts }}
{{- $sum = add $sum (include "appcredential.settingSeconds" (dict "settings" $settings "rules" $rules "name" .) | atoi) }}
{{- $told = append $told (include "appcredential.settingTold" (dict "settings" $settings "rules" $rules "name" .)) }}
{{- end }}
{{- if gt $sum (include "appcredential.settingSeconds" (dict "settings" $settings "rules" $rules "name" .most) | atoi | int64) }}
{{- fail (printf "%s must be at most %s: raise that, or lower what is before it." (join " and " $told) (include "appcredential.settingTold" (dict "settings" $settings "rules" $rules "name" .most))) }}
{{- end }}
{{- end }}
{{- range $name, $most := $rules.longest }}
{{- if and (hasKey $settings $name) (gt (include "appcredential.seconds" (get $settings $name) | atoi) (int $most)) }}
{{- fail (printf "settings.%s is %s, and must be at most %ds: lower it." $name (get $settings $name) (int $most)) }}
{{- end }}
{{- end }}
{{- if has (lower (default "" $settings.customTokenAudience)) $rules.publicAudiences }}
{{- fail (printf "settings.customTokenAudience is %s, the audience of a public cloud: choose one of your own, that no other cloud accepts." $settings.customTokenAudience) }}
{{- end }}
{{- $reserved := .Files.Get "files/reserved.yaml" | fromYaml }}
{{- range $value, $keys := dict "settings.allowedSecretKeys" (splitList "," (default "" $settings.allowedSecretKeys)) "secretLabels" (keys .Values.secretLabels) }}
{{- range $key := $keys }}
{{- $key = trim $key }}
{{- $domain := "" }}
{{- if contains "/" $key }}{{ $domain = first (splitList "/" $key) }}{{ end }}
{{- range $other := $reserved.domains }}
{{- if and (not (has $key $reserved.allowedKeys)) (or (eq $domain $other) (hasSuffix (printf ".%s" $other) $domain)) }}
{{- fail (printf "%s has %s, by which other tools act on Secrets: remove it." $value $key) }}
{{- end }}
{{- end }}
{{- if has $key $reserved.keys }}
{{- fail (printf "%s has %s, by which other tools act on Secrets: remove it." $value $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* A setting in seconds. Takes `settings`, `rules` with the defaults, and `name`. */}}
{{- define "appcredential.settingSeconds" -}}
{{- if hasKey .settings .name }}{{ include "appcredential.seconds" (get .settings .name) }}{{ else }}{{ get .rules.defaults .name | int }}{{ end }}
{{- end }}

{{- define "appcredential.settingTold" -}}
settings.{{ .name }} ({{ if hasKey .settings .name }}{{ get .settings .name }}{{ else }}{{ get .rules.defaults .name | int }}s by default{{ end }})
{{- end }}

{{- /* A duration such as 1h30m in seconds. */}}
{{- define "appcredential.seconds" -}}
{{- $duration := . }}
{{- $sum := 0 }}
{{- range $unit, $seconds := dict "w" 604800 "d" 86400 "h" 3600 "m" 60 "s" 1 }}
{{- with regexFind (printf "[0-9]+%s" $unit) $duration }}{{ $sum = add $sum (mul (trimSuffix $unit . | atoi) $seconds) }}{{ end }}
{{- end }}
{{- $sum }}
{{- end }}
