package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/candor-plane/candor"
)

// minRSA is the fewest bits of a key of somebody else's making.
const minRSA = 2048

// newKey is a P-256 key and its PEM: the handshakes with it are the fastest that
// every tool understands.
func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, candor.Wrap("make a key", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, candor.Wrap("encode a key", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}), nil
}

// parseKey reads PEM that holds one private key in whatever form tools write.
func parseKey(data []byte) (crypto.Signer, error) {
	begun := bytes.Count(data, []byte("-----BEGIN"))
	var found *pem.Block
	read := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		read++
		switch {
		case block.Type == "EC PARAMETERS": // openssl writes them before the key
		case !strings.HasSuffix(block.Type, blockKey):
			return nil, candor.Errorf(candor.ReasonInvalid, "key: block %d is a %s; want one private key alone", read, quoted(block.Type))
		case found != nil:
			return nil, candor.Errorf(candor.ReasonInvalid, "key: more than one private key; want one")
		default:
			found = block
		}
	}
	if read != begun {
		return nil, candor.Errorf(candor.ReasonInvalid, "key: %d PEM blocks begin and %d can be read; the file is damaged or cut short", begun, read)
	}
	if found == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "key: holds no private key; want one in PEM")
	}
	return decodeKey(found)
}

func decodeKey(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, candor.Errorf(candor.ReasonInvalid, "key: is encrypted, and nobody is here to type the passphrase; store it without one")
	}
	var key any
	var err error
	switch block.Type {
	case blockKey:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, candor.Errorf(candor.ReasonInvalid, "key: is a %s; want an ECDSA, Ed25519 or RSA private key", quoted(block.Type))
	}
	if err != nil {
		// The parser's message may quote what it read.
		return nil, candor.Errorf(candor.ReasonInvalid, "key: a %s that cannot be read; store it again", block.Type)
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return nil, candor.Errorf(candor.ReasonInvalid, "key: RSA with %d bits; want %d or more, or ECDSA", bits, minRSA)
		}
		return key, nil
	default:
		return nil, candor.Errorf(candor.ReasonInvalid, "key: is a %T; want an ECDSA, Ed25519 or RSA private key", key)
	}
}

// publicKey is what every public key of the standard library is.
type publicKey interface {
	Equal(other crypto.PublicKey) bool
}

// belongs says whether the certificate is about the key.
func belongs(key crypto.Signer, certificate *x509.Certificate) bool {
	public, ok := key.Public().(publicKey)
	return ok && public.Equal(certificate.PublicKey)
}
