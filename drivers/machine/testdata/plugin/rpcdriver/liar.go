package rpcdriver

// Liar answers with other types than the protocol has, and with more than anybody wants.
type Liar struct{}

func (Liar) GetVersion(_ *none, reply *int) error      { *reply = 1; return nil }
func (Liar) Heartbeat(_ *none, _ *none) error          { return nil }
func (Liar) GetState(_ *none, reply *string) error     { *reply = "Running"; return nil }
func (Liar) GetIP(_ *none, reply *[]int) error         { *reply = []int{192, 0, 2, 1}; return nil }
func (Liar) GetSSHPort(_ *none, reply *int) error      { *reply = 1 << 20; return nil }
func (Liar) GetConfigRaw(_ *none, reply *[]byte) error { *reply = make([]byte, 64<<20); return nil }

func (Liar) GetCreateFlags(_ *none, reply *map[string]string) error {
	*reply = map[string]string{"name": "value"}
	return nil
}
