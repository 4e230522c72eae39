// Package cluster checks the manifests in examples/cluster against the types of the systems that read them.
package cluster

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func kubernetesJobs(t *testing.T) (jobs []batchv1.Job) {
	t.Helper()
	text, err := os.ReadFile("../../examples/cluster/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range bytes.Split(text, []byte("\n---\n")) {
		var job batchv1.Job
		if err := yaml.UnmarshalStrict(part, &job); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// Each document is a Job without a field that Kubernetes does not know, and keeps what the page promises.
func TestKubernetes(t *testing.T) {
	jobs := kubernetesJobs(t)
	if len(jobs) != 2 {
		t.Fatalf("%d jobs", len(jobs))
	}
	for _, job := range jobs {
		pod := job.Spec.Template.Spec
		if job.APIVersion != "batch/v1" || job.Kind != "Job" || pod.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: %s %s, restart policy %s", job.Name, job.APIVersion, job.Kind, pod.RestartPolicy)
		}
		if pod.SecurityContext == nil || pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser == 0 {
			t.Errorf("%s runs as root", job.Name)
		}
		volumes := map[string]corev1.Volume{}
		for _, v := range pod.Volumes {
			volumes[v.Name] = v
		}
		for _, c := range pod.Containers {
			if s := c.SecurityContext; s == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem {
				t.Errorf("%s may write to its image or gain rights", job.Name)
			}
			for _, m := range c.VolumeMounts {
				v, there := volumes[m.Name]
				if !there {
					t.Errorf("%s: there is no volume %q", job.Name, m.Name)
				}
				if m.Name == "photos" && (!m.ReadOnly || !v.PersistentVolumeClaim.ReadOnly) {
					t.Errorf("%s may write to the photos", job.Name)
				}
			}
		}
	}
	run := jobs[0].Spec
	if run.CompletionMode == nil || *run.CompletionMode != batchv1.IndexedCompletion || run.BackoffLimitPerIndex == nil || run.BackoffLimit != nil {
		t.Error("the shards are not tried again one by one")
	}
	c := run.Template.Spec.Containers[0]
	if script := strings.Join(c.Args, " "); !strings.Contains(script, `--shard "$JOB_COMPLETION_INDEX/$SHARDS"`) || !strings.Contains(script, "/shard-$JOB_COMPLETION_INDEX") {
		t.Errorf("the script is %s", script)
	}
	for _, e := range c.Env {
		if e.Name == "SHARDS" && (run.Completions == nil || e.Value != map[int32]string{8: "8"}[*run.Completions]) {
			t.Errorf("%s shards and %d completions", e.Value, *run.Completions)
		}
	}
}

// stoppable is a script that says when the shell above it catches SIGTERM, and ends with 130 when it gets that itself.
const stoppable = `trap 'kill $!; exit 130' TERM
sleep 100 >/dev/null &
until grep -Eq '^SigCgt:.*[4-7c-f][0-9a-f]{3}$' /proc/$PPID/status; do :; done
echo begun
wait`

// The shell of a shard passes the request to stop on, and ends with the run's exit code, but for the one that says that photos failed.
func TestKubernetesScript(t *testing.T) {
	script := kubernetesJobs(t)[0].Spec.Template.Spec.Containers[0].Args[0]
	for _, c := range []struct {
		run  string // what stands in for the run
		stop bool
		code int
	}{
		{"exit 0", false, 0}, {"exit 3", false, 0}, {"exit 1", false, 1},
		{stoppable, true, 130},
	} {
		if c.stop && runtime.GOOS != "linux" {
			continue
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "photodesc"), []byte("#!/bin/sh\n"+c.run+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		sh := exec.Command("sh", "-c", script)
		sh.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "JOB_COMPLETION_INDEX=0", "SHARDS=8")
		out, err := sh.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := sh.Start(); err != nil {
			t.Fatal(err)
		}
		if c.stop {
			if _, err := out.Read(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			_ = sh.Process.Signal(syscall.SIGTERM)
		}
		_ = sh.Wait()
		if code := sh.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exit code %d, not %d", c.run, code, c.code)
		}
	}
}

// The compose file has the services that the page names, and each has only fields of a service.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("../../examples/cluster/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type service struct {
		Image       string            `json:"image"`
		Command     []string          `json:"command"`
		Volumes     []string          `json:"volumes"`
		Build       map[string]string `json:"build"`
		DependsOn   []string          `json:"depends_on"`
		User        string            `json:"user"`
		Environment map[string]string `json:"environment"`
		Tmpfs       []string          `json:"tmpfs"`
		ReadOnly    bool              `json:"read_only"`
		CapDrop     []string          `json:"cap_drop"`
		Stop        string            `json:"stop_grace_period"`
		Restart     string            `json:"restart"`
		Deploy      struct {
			Replicas int `json:"replicas"`
		} `json:"deploy"`
	}
	var file struct {
		Services map[string]service `json:"services"`
		Volumes  map[string]any     `json:"volumes"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		t.Fatal(err)
	}
	for name, s := range file.Services {
		for _, on := range s.DependsOn {
			if _, there := file.Services[on]; !there {
				t.Errorf("%s depends on %s, which is not there", name, on)
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, there := file.Volumes[from]; !there && !strings.HasPrefix(from, "${") {
				t.Errorf("%s: there is no volume %q", name, from)
			}
			if strings.Contains(v, ":/photos") && !strings.HasSuffix(v, ":ro") {
				t.Errorf("%s may write to the photos", name)
			}
		}
		if name != "nats" && (s.User != "1000:1000" || !s.ReadOnly) {
			t.Errorf("%s runs as %q, read-only: %v", name, s.User, s.ReadOnly)
		}
	}
	if file.Services["node"].Deploy.Replicas != 2 || file.Services["nats"].Image == "" || file.Services["run"].Image == "" {
		t.Errorf("services: %v", file.Services)
	}
}
