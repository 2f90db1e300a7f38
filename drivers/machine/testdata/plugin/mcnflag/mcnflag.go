// Package mcnflag has the flag types of Docker Machine's plugin protocol. Its name, and those of its types and
// fields, are on the wire.
package mcnflag

import "encoding/gob"

type Flag interface{ FlagName() string }

type StringFlag struct{ Name, Usage, EnvVar, Value string }

type IntFlag struct {
	Name, Usage, EnvVar string
	Value               int
}

type StringSliceFlag struct {
	Name, Usage, EnvVar string
	Value               []string
}

type BoolFlag struct{ Name, Usage, EnvVar string }

func (f StringFlag) FlagName() string      { return f.Name }
func (f IntFlag) FlagName() string         { return f.Name }
func (f StringSliceFlag) FlagName() string { return f.Name }
func (f BoolFlag) FlagName() string        { return f.Name }

func init() {
	gob.Register(new(StringFlag))
	gob.Register(new(IntFlag))
	gob.Register(new(StringSliceFlag))
	gob.Register(new(BoolFlag))
}
