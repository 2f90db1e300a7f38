// Package rpcdriver serves one driver over Docker Machine's plugin protocol: net/rpc over HTTP on a loopback port, whose
// address is the first line of the output. Written from the protocol's description; its name, and those of RPCFlags
// and the methods, are on the wire.
package rpcdriver

import (
	"encoding/gob"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"time"

	"testhost/mcnflag"
)

// Options are the values of a driver's flags, of the type that each flag has.
type Options interface {
	String(key string) (string, error)
	Strings(key string) ([]string, error)
	Int(key string) (int, error)
	Bool(key string) (bool, error)
}

type RPCFlags struct{ Values map[string]interface{} }

func value[T any](r RPCFlags, key string) (T, error) {
	v, ok := r.Values[key].(T)
	if !ok {
		return v, fmt.Errorf("the value of %s is %T, not %T", key, r.Values[key], v)
	}
	return v, nil
}

func (r RPCFlags) String(key string) (string, error)    { return value[string](r, key) }
func (r RPCFlags) Strings(key string) ([]string, error) { return value[[]string](r, key) }
func (r RPCFlags) Int(key string) (int, error)          { return value[int](r, key) }
func (r RPCFlags) Bool(key string) (bool, error)        { return value[bool](r, key) }

func init() { gob.Register(new(RPCFlags)) }

// Driver is what a plugin brings. Its exported fields are its configuration.
type Driver interface {
	Flags() []mcnflag.Flag
	Configure(options Options) error
	Machine() string
	Name() string
	Do(action string) error
	Text(property string) (string, error)
	Number(property string) (int, error)
}

// Server has the methods of the protocol.
type Server struct {
	driver Driver
	beats  chan bool
}

type none = struct{}

func (s *Server) GetVersion(_ *none, reply *int) error { *reply = 1; return nil }
func (s *Server) Heartbeat(_ *none, _ *none) error     { s.beats <- true; return nil }
func (s *Server) Close(_ *none, _ *none) error         { s.beats <- false; return nil }

func (s *Server) SetConfigRaw(config []byte, _ *none) error { return json.Unmarshal(config, s.driver) }

func (s *Server) GetConfigRaw(_ *none, reply *[]byte) (err error) {
	*reply, err = json.Marshal(s.driver)
	return err
}

func (s *Server) GetCreateFlags(_ *none, reply *[]mcnflag.Flag) error {
	*reply = s.driver.Flags()
	return nil
}

func (s *Server) SetConfigFromFlags(options *Options, _ *none) error {
	return s.driver.Configure(*options)
}

func (s *Server) GetMachineName(_ *none, reply *string) error {
	*reply = s.driver.Machine()
	return nil
}
func (s *Server) DriverName(_ *none, reply *string) error { *reply = s.driver.Name(); return nil }

// Create alone survives a panic.
func (s *Server) Create(_ *none, _ *none) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Panic in the driver: %s", p.(error))
		}
	}()
	return s.driver.Do("Create")
}

func (s *Server) PreCreateCheck(_ *none, _ *none) error { return s.driver.Do("PreCreateCheck") }
func (s *Server) Remove(_ *none, _ *none) error         { return s.driver.Do("Remove") }
func (s *Server) Start(_ *none, _ *none) error          { return s.driver.Do("Start") }
func (s *Server) Stop(_ *none, _ *none) error           { return s.driver.Do("Stop") }
func (s *Server) Restart(_ *none, _ *none) error        { return s.driver.Do("Restart") }
func (s *Server) Kill(_ *none, _ *none) error           { return s.driver.Do("Kill") }

func (s *Server) text(property string, reply *string) (err error) {
	*reply, err = s.driver.Text(property)
	return err
}

func (s *Server) GetIP(_ *none, reply *string) error          { return s.text("IP", reply) }
func (s *Server) GetURL(_ *none, reply *string) error         { return s.text("URL", reply) }
func (s *Server) GetSSHHostname(_ *none, reply *string) error { return s.text("SSHHostname", reply) }
func (s *Server) GetSSHKeyPath(_ *none, reply *string) error  { return s.text("SSHKeyPath", reply) }
func (s *Server) GetSSHUsername(_ *none, reply *string) error { return s.text("SSHUsername", reply) }

func (s *Server) GetSSHPort(_ *none, reply *int) (err error) {
	*reply, err = s.driver.Number("SSHPort")
	return err
}

func (s *Server) GetState(_ *none, reply *int) (err error) {
	*reply, err = s.driver.Number("State")
	return err
}

// Serve runs until the client closes it, or has not been heard of for ten seconds.
func Serve(driver Driver) {
	if os.Getenv("MACHINE_PLUGIN_TOKEN") != "42" {
		fmt.Fprintln(os.Stderr, "This is a Docker Machine plugin, started by its client alone. (API version: 1)")
		os.Exit(1)
	}
	server := &Server{driver: driver, beats: make(chan bool)}
	var err error
	switch os.Getenv("MACHINE_PLUGIN_DRIVER_NAME") {
	case "liar":
		err = rpc.RegisterName("RPCServerDriver", Liar{})
	case "old":
		err = rpc.RegisterName("RpcServerDriver", server)
	default:
		err = rpc.RegisterName("RPCServerDriver", server)
	}
	listener, lerr := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || lerr != nil {
		fmt.Fprintln(os.Stderr, err, lerr)
		os.Exit(1)
	}
	rpc.HandleHTTP()
	fmt.Println(listener.Addr())
	go http.Serve(listener, nil)
	for {
		select {
		case alive := <-server.beats:
			if !alive {
				os.Exit(0)
			}
		case <-time.After(10 * time.Second):
			os.Exit(1)
		}
	}
}
