{{- define "kafka-delta.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of all objects. It is cut to 52 characters, because the name of a pod adds a number and must stay below 63. */}}
{{- define "kafka-delta.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "kafka-delta.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "kafka-delta.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kafka-delta.names" -}}
app.kubernetes.io/name: {{ include "kafka-delta.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kafka-delta.selector" -}}
{{ include "kafka-delta.names" . }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "kafka-delta.labels" -}}
{{ include "kafka-delta.names" . }}
app.kubernetes.io/part-of: kafka-delta
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kafka-delta.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "kafka-delta.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "kafka-delta.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- define "kafka-delta.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kafka-delta.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Checks that values.schema.json cannot express, because they compare several values. */}}
{{- define "kafka-delta.check" -}}
{{- $deadlineMs := int64 .Values.config.shutdown.deadlineMs -}}
{{- if le (mul (int64 .Values.terminationGracePeriodSeconds) 1000) $deadlineMs -}}
{{- fail (printf "terminationGracePeriodSeconds (%d s) must be longer than config.shutdown.deadlineMs (%d ms)" (int64 .Values.terminationGracePeriodSeconds) $deadlineMs) -}}
{{- end -}}
{{- if and .Values.secrets.existingSecret (not .Values.secrets.keys) -}}
{{- fail "secrets.keys must name the keys of secrets.existingSecret that become files" -}}
{{- end -}}
{{- end -}}
