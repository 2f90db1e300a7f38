package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// place is where the machine of one driver lives.
type place interface {
	create() (id string, err error)
	start() error
	address() (string, error)
	halt(orderly bool) error
	remove() error
	state() (int, error)
}

func (d *driver) place() place {
	if d.Cloud != "" {
		return file(filepath.Join(d.Cloud, d.MachineName))
	}
	return container{d}
}

// file stands for a machine that is Running, Starting or Stopped; a second word in it is its address.
type file string

func (f file) write(state string) error { return os.WriteFile(string(f), []byte(state), 0o666) }

func (f file) create() (string, error) {
	if _, err := os.Stat(string(f)); err == nil {
		return "", errors.New("the name is taken")
	}
	return "id-" + filepath.Base(string(f)), f.write("Stopped")
}

func (f file) start() error    { return f.write("Running") }
func (f file) halt(bool) error { return f.write("Stopped") }

func (f file) words() ([]string, error) {
	content, err := os.ReadFile(string(f))
	return append(strings.Fields(string(content)), "", ""), err
}

func (f file) address() (string, error) {
	words, err := f.words()
	if words[1] == "" {
		return "192.0.2.1", err
	}
	return words[1], err
}

func (f file) remove() error {
	if err := os.Remove(string(f)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (f file) state() (int, error) {
	words, err := f.words()
	switch words[0] {
	case "Running":
		return running, nil
	case "Starting":
		return starting, nil
	case "Stopped":
		return stopped, nil
	}
	return unknown, err
}

// container boots systemd with sshd and an engine of its own. Its name is the machine's, so that a create that nobody
// heard the end of is found again.
type container struct{ *driver }

const boot = `for m in $(awk '$5 ~ "^/sys/fs/cgroup" || $5 == "/proc/sys" {print $5}' /proc/self/mountinfo); do
mount -o remount,bind,rw "$m"
done
exec /sbin/init`

func docker(args ...string) (string, error) {
	out, err := exec.Command("docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, text)
	}
	return text, nil
}

func (c container) create() (string, error) {
	args := []string{"create", "--name", c.MachineName, "--hostname", c.MachineName, "--network", c.Network,
		"--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--security-opt", "seccomp=unconfined",
		"--security-opt", "apparmor=unconfined", "--device-cgroup-rule", "a *:* rwm", "--cgroupns", "private",
		"--tmpfs", "/run", "--tmpfs", "/tmp", "--stop-signal", "SIGRTMIN+3", "--volume", "/var/lib/docker", "--tty"}
	for _, label := range c.Labels {
		args = append(args, "--label", label)
	}
	id, err := docker(append(args, c.Image, "/bin/sh", "-c", boot)...)
	if err != nil {
		return "", err
	}
	return id, c.authorize()
}

// authorize lays the machine's key in place; the folder it is copied from has the mode that sshd insists on.
func (c container) authorize() error {
	folder, err := os.MkdirTemp("", "testhost")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	key, err := os.ReadFile(c.SSHKeyPath + ".pub")
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(folder, ".ssh"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, ".ssh", "authorized_keys"), key, 0o600); err != nil {
		return err
	}
	_, err = docker("cp", filepath.Join(folder, ".ssh"), c.MachineName+":/root")
	return err
}

func (c container) start() error {
	_, err := docker("start", c.MachineName)
	return err
}

// address is another one after a restart, often.
func (c container) address() (string, error) {
	return docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", c.MachineName)
}

func (c container) halt(orderly bool) error {
	verb := "kill"
	if orderly {
		verb = "stop"
	}
	_, err := docker(verb, c.MachineName)
	return err
}

func (c container) remove() error {
	_, err := docker("rm", "-fv", c.MachineName)
	if err != nil && strings.Contains(err.Error(), "No such container") {
		return nil
	}
	return err
}

func (c container) state() (int, error) {
	up, err := docker("inspect", "-f", "{{.State.Running}}", c.MachineName)
	switch up {
	case "true":
		return running, nil
	case "false":
		return stopped, nil
	}
	return unknown, err
}
