package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// The PEM blocks that are written; keys of others are read in their forms too.
const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// maxCertificates bounds a bundle, and maxChain what a party sends of itself.
const (
	maxCertificates = 64
	maxChain        = 8
)

// Fingerprint is the SHA-256 of the certificate in hexadecimal.
func Fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(sum[:])
}

// parseCertificates reads PEM that holds certificates and nothing else. Text
// between the blocks is allowed, a block that cannot be read is not: a bundle that
// is cut short must not pass for a smaller one.
func parseCertificates(what string, data []byte, most int) ([]*x509.Certificate, error) {
	begun := bytes.Count(data, []byte("-----BEGIN"))
	var certificates []*x509.Certificate
	read := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		read++
		if block.Type != blockCertificate {
			return nil, candor.Errorf(candor.ReasonInvalid, "%s: block %d is a %s; want certificates alone", what, read, quoted(block.Type))
		}
		if read > most {
			return nil, candor.Errorf(candor.ReasonInvalid, "%s: more than %d certificates; want fewer", what, most)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "%s: certificate %d: %w", what, read, err)
		}
		certificates = append(certificates, certificate)
	}
	if read != begun {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s: %d PEM blocks begin and %d can be read; the file is damaged or cut short", what, begun, read)
	}
	if read == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s: holds no certificate; want one in PEM", what)
	}
	return certificates, nil
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})
}

// clip keeps what others wrote from filling a message.
func clip(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// quoted is clip for text that may hold anything.
func quoted(s string) string { return strconv.Quote(clip(s)) }
