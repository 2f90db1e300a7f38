package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"os"
)

// makeKey writes an SSH key as most drivers do: RSA of 2048 bits, in PEM, and the public half beside it.
func makeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	public := sshString([]byte("ssh-rsa"))
	public = append(public, sshNumber(big.NewInt(int64(key.E)))...)
	public = append(public, sshNumber(key.N)...)
	line := "ssh-rsa " + base64.StdEncoding.EncodeToString(public) + "\n"
	return os.WriteFile(path+".pub", []byte(line), 0o644)
}

// sshString and sshNumber are RFC 4251's string and mpint.
func sshString(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func sshNumber(n *big.Int) []byte {
	return sshString(bytes.Join([][]byte{{0}, n.Bytes()}, nil)[1-n.Bytes()[0]>>7:])
}
