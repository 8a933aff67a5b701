{{/* Name of the chart, as a label. */}}
{{- define "pausewatch.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What objects are called; 52 characters, so that "-own-node" and the hash of a DaemonSet's pods still fit behind it. */}}
{{- define "pausewatch.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "pausewatch.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "pausewatch.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: name the account, where the chart does not create it; were it the Kubernetes namespace's default, every pod there would have the agent's rights" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Immutable in a DaemonSet: nothing that changes with a version. */}}
{{- define "pausewatch.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pausewatch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the agents' pods: not the chart's version, with which pods need not change. */}}
{{- define "pausewatch.podLabels" -}}
{{ include "pausewatch.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: pausewatch
{{- end -}}

{{- define "pausewatch.labels" -}}
{{ include "pausewatch.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "pausewatch.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* Whether the policy is rendered. Without a cluster (helm template) no kinds are known: 1.30 has it, so it is. */}}
{{- define "pausewatch.ownNodePolicy" -}}
{{- $asked := .Capabilities.APIVersions.Has "v1/Pod" -}}
{{- $served := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" -}}
{{- if and .Values.ownNodePolicy.enabled (or $served (not $asked)) -}}true{{- end -}}
{{- end -}}

{{/* Of a scrape: whose series these are is said by the agent, and which node it is by the pod. */}}
{{- define "pausewatch.scrape" -}}
port: metrics
path: /metrics
# namespace, pod and container name what a metric is about, not the agent.
honorLabels: true
relabelings:
- targetLabel: job
  replacement: pausewatch
- sourceLabels: [__meta_kubernetes_pod_node_name]
  targetLabel: node
{{- end -}}
