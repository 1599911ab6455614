{{- define "dataminer-reconciler.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dataminer-reconciler.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dataminer-reconciler.labels" -}}
{{ include "dataminer-reconciler.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "dataminer-reconciler.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Nothing on the pod may do more than the process needs. */ -}}
{{- define "dataminer-reconciler.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAs.user }}
runAsGroup: {{ .Values.runAs.group }}
fsGroup: {{ .Values.runAs.fsGroup }}
# A large vault need not be walked at every start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "dataminer-reconciler.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "dataminer-reconciler.installation" -}}
{{- $name := .Values.config.installation | default (printf "%s-%s" .Release.Namespace .Release.Name) -}}
{{- if gt (len $name) 63 -}}
{{- fail (printf "config.installation: %q, made of namespace and release, is longer than 63 characters: set a name" $name) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" $name) -}}
{{- fail (printf "config.installation: %q, made of namespace and release, has other characters than a-z, 0-9 and '-': set a name" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* A reference to a secret (.secret) must be to one that the pod gets; .place says where it was written. */ -}}
{{- define "dataminer-reconciler.checkSecret" -}}
{{- $files := list -}}
{{- range .values.secretFiles }}{{ range .items }}{{ $files = append $files (printf "/run/secrets/%s" .path) }}{{ end }}{{ end -}}
{{- $variables := list -}}
{{- range .values.secretEnv }}{{ $variables = append $variables .name }}{{ end -}}
{{- if .secret.file -}}
{{- if not (has .secret.file $files) -}}
{{- fail (printf "%s: no entry of secretFiles brings the file %s into the pod" .place .secret.file) -}}
{{- end -}}
{{- else if .secret.env -}}
{{- if not (has .secret.env $variables) -}}
{{- fail (printf "%s: no entry of secretEnv sets the variable %s" .place .secret.env) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What would start and then fail at night fails here. */ -}}
{{- define "dataminer-reconciler.check" -}}
{{- $values := .Values -}}
{{- range $i, $source := $values.config.sources -}}
{{- range $field := list "identity" "passphrase" "password" "token" -}}
{{- with get ($source.auth | default dict) $field -}}
{{- include "dataminer-reconciler.checkSecret" (dict "values" $values "secret" . "place" (printf "config.sources[%d].auth.%s" $i $field)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $i, $grant := $values.config.secrets -}}
{{- include "dataminer-reconciler.checkSecret" (dict "values" $values "secret" $grant "place" (printf "config.secrets[%d]" $i)) -}}
{{- end -}}
{{- $paths := list -}}
{{- range $values.secretFiles }}{{ range .items }}{{ $paths = append $paths .path }}{{ end }}{{ end -}}
{{- if ne (len $paths) (len (uniq $paths)) -}}
{{- fail "secretFiles: two items have the same path" -}}
{{- end -}}
{{- $names := list -}}
{{- range $values.secretEnv }}{{ $names = append $names .name }}{{ end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail "secretEnv: two entries have the same name" -}}
{{- end -}}
{{- $places := list -}}
{{- range $values.packages }}{{ $places = append $places .name }}{{ end -}}
{{- if ne (len $places) (len (uniq $places)) -}}
{{- fail "packages: two places have the same name" -}}
{{- end -}}
{{- end -}}

{{- /* The process's own configuration. */ -}}
{{- define "dataminer-reconciler.config" -}}
{{- include "dataminer-reconciler.check" . -}}
{{- $packages := list -}}
{{- range .Values.packages -}}
{{- $packages = append $packages (dict "name" .name "url" (printf "file:///packages/%s" .name)) -}}
{{- end -}}
apiVersion: dataminer.gitops/v1
kind: ReconcilerConfig
spec:
  installation: {{ include "dataminer-reconciler.installation" . | quote }}
  sources:
    {{- toYaml .Values.config.sources | nindent 4 }}
  packages:
    {{- toYaml $packages | nindent 4 }}
  store:
    url: sqlite:///var/lib/dataminer-reconciler/state.db
  vault:
    url: file:///var/lib/dataminer-reconciler/vault
    keep:
      {{- toYaml .Values.config.vault.keep | nindent 6 }}
  secrets:
    {{- toYaml .Values.config.secrets | nindent 4 }}
  {{- with .Values.config.knowledge }}
  knowledge:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  loop:
    {{- toYaml .Values.config.loop | nindent 4 }}
  http:
    # The API has no authentication: it is for this pod alone.
    listen: 127.0.0.1:8080
    metrics: {{ printf "%s:%d" .Values.monitoring.address (int .Values.monitoring.port) | quote }}
{{- end -}}
