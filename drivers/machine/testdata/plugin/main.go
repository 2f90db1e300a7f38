// A driver plugin for tests. Its machines are containers that boot like hosts, made with the docker command, or, with
// --testhost-cloud, files in a folder that stand for them. It takes its time, fails, panics, hangs, floods and lies
// on demand.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"testhost/mcnflag"
	"testhost/rpcdriver"
)

const running, stopped, starting, unknown = 1, 4, 6, 7

type driver struct {
	MachineName, StorePath, SSHKeyPath, IPAddress, InstanceID string
	Cloud, Image, Network, Secret                             string
	Labels, Fail, Panic, Hang, Flood, Hoard, Spin             []string
	CreateSeconds                                             int
	Late                                                      bool
}

func (d *driver) Machine() string { return d.MachineName }
func (d *driver) Name() string    { return "testhost" }

func (d *driver) Flags() []mcnflag.Flag {
	text := func(name, usage, env, value string) mcnflag.Flag {
		return &mcnflag.StringFlag{Name: "testhost-" + name, Usage: usage, EnvVar: env, Value: value}
	}
	list := func(name, usage string, value []string) mcnflag.Flag {
		return &mcnflag.StringSliceFlag{Name: "testhost-" + name, Usage: usage, Value: value}
	}
	return []mcnflag.Flag{
		text("cloud", "Folder whose files are the machines, instead of containers", "", ""),
		text("image", "Image of the containers", "TESTHOST_IMAGE", "skep/host:debian-13"),
		text("network", "Network of the containers", "", "bridge"),
		text("secret", "Written to the log", "TESTHOST_SECRET", ""),
		&mcnflag.IntFlag{Name: "testhost-create-seconds", Usage: "How long Create takes", Value: 0},
		&mcnflag.BoolFlag{Name: "testhost-late", Usage: "Create misbehaves once the machine exists"},
		list("label", "Labels of the containers", []string{"testhost"}),
		list("fail", "Methods that fail", nil),
		list("panic", "Methods that panic", nil),
		list("hang", "Methods that never end", nil),
		list("flood", "Methods that write to the log without end", nil),
		list("hoard", "Methods that take memory without end", nil),
		list("spin", "Methods that do nothing, without end and with all their might", nil),
	}
}

func (d *driver) Configure(o rpcdriver.Options) (err error) {
	set := func(to *string, key string) {
		if err == nil {
			*to, err = o.String(key)
		}
	}
	list := func(to *[]string, key string) {
		if err == nil {
			*to, err = o.Strings("testhost-" + key)
		}
	}
	var swarm string
	for key, to := range map[string]*string{"cloud": &d.Cloud, "image": &d.Image, "network": &d.Network,
		"secret": &d.Secret} {
		set(to, "testhost-"+key)
	}
	set(&swarm, "swarm-host")
	for key, to := range map[string]*[]string{"label": &d.Labels, "fail": &d.Fail, "panic": &d.Panic,
		"hang": &d.Hang, "flood": &d.Flood, "hoard": &d.Hoard, "spin": &d.Spin} {
		list(to, key)
	}
	if err == nil {
		d.CreateSeconds, err = o.Int("testhost-create-seconds")
	}
	if err == nil {
		d.Late, err = o.Bool("testhost-late")
	}
	if err == nil {
		_, err = o.Bool("swarm-master")
	}
	if d.Secret != "" {
		fmt.Println("the secret is", d.Secret)
	}
	return err
}

// misbehave does what was asked of this method.
func (d *driver) misbehave(method string) error {
	asked := func(methods []string) bool {
		for _, m := range methods {
			if m == method {
				return true
			}
		}
		return false
	}
	if asked(d.Panic) {
		panic(errors.New("as asked"))
	}
	if asked(d.Hang) {
		select {}
	}
	for asked(d.Flood) {
		fmt.Println(strings.Repeat("flood ", 200))
	}
	var hoard [][]byte
	for asked(d.Hoard) {
		hoard = append(hoard, make([]byte, 64<<20))
	}
	for asked(d.Spin) {
	}
	if asked(d.Fail) {
		return fmt.Errorf("%s fails as asked", method)
	}
	return nil
}

func (d *driver) Do(action string) error {
	if !(action == "Create" && d.Late) {
		if err := d.misbehave(action); err != nil {
			return err
		}
	}
	fmt.Printf("(%s) %s\n", d.MachineName, action)
	switch action {
	case "Create":
		return d.create()
	case "PreCreateCheck":
		return nil
	case "Remove":
		return d.place().remove()
	case "Start":
		return d.begin()
	case "Stop":
		return d.place().halt(true)
	case "Kill":
		return d.place().halt(false)
	default:
		if err := d.place().halt(true); err != nil {
			return err
		}
		return d.begin()
	}
}

func (d *driver) create() error {
	d.SSHKeyPath = filepath.Join(d.StorePath, "machines", d.MachineName, "id_rsa")
	if err := makeKey(d.SSHKeyPath); err != nil {
		return err
	}
	// What a driver's author would rather not have: the instance exists before its id is known to anybody else.
	id, err := d.place().create()
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(d.CreateSeconds) * time.Second)
	d.InstanceID = id
	if d.Late {
		if err := d.misbehave("Create"); err != nil {
			return err
		}
	}
	return d.begin()
}

func (d *driver) begin() (err error) {
	if err = d.place().start(); err == nil {
		d.IPAddress, err = d.place().address()
	}
	return err
}

func (d *driver) Text(property string) (string, error) {
	if err := d.misbehave("Get" + property); err != nil {
		return "", err
	}
	switch property {
	case "SSHKeyPath":
		return d.SSHKeyPath, nil
	case "SSHUsername":
		return "root", nil
	case "URL":
		return "tcp://" + d.IPAddress + ":2376", nil
	default:
		return d.place().address()
	}
}

func (d *driver) Number(property string) (int, error) {
	if err := d.misbehave("Get" + property); err != nil {
		return 0, err
	}
	if property == "SSHPort" {
		return 22, nil
	}
	return d.place().state()
}

func main() {
	// What the driver says before it serves belongs to the log as well.
	fmt.Fprintln(os.Stderr, "testhost", os.Getenv("MACHINE_PLUGIN_DRIVER_NAME"), os.Getuid())
	rpcdriver.Serve(&driver{})
}
