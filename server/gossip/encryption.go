package gossip

// Encryption is what a server with a key ring demands of its peers. The two
// weaker values are steps on the way from plaintext, on a cluster that runs:
// restart its servers one by one with EncryptionAccepted, then one by one with
// EncryptionOffered, then with EncryptionRequired. The same backwards leads to
// plaintext. As long as plaintext is accepted, nobody is authenticated.
type Encryption int

const (
	// EncryptionRequired sends encrypted and refuses everything else.
	EncryptionRequired Encryption = iota
	// EncryptionOffered sends encrypted and accepts plaintext too. Every server
	// must have the key.
	EncryptionOffered
	// EncryptionAccepted sends plaintext and understands both. Servers without a
	// key may be about.
	EncryptionAccepted
)

// String is the word for logs.
func (e Encryption) String() string {
	switch e {
	case EncryptionRequired:
		return "required"
	case EncryptionOffered:
		return "offered"
	case EncryptionAccepted:
		return "accepted"
	default:
		return "unknown"
	}
}

func (c Config) checkEncryption() error {
	if c.Encryption < EncryptionRequired || c.Encryption > EncryptionAccepted {
		return refuse("encryption %d is not one of the three that there are", c.Encryption)
	}
	if c.Keyring == nil && c.Encryption != EncryptionRequired {
		return refuse("encryption shall be accepted or offered, but gossip has no key ring: set one")
	}
	return nil
}

// demand and primaryKey are for logs.
func (c Config) demand() string {
	if c.Keyring == nil {
		return "none"
	}
	return c.Encryption.String()
}

func (c Config) primaryKey() string {
	if c.Keyring == nil {
		return ""
	}
	return c.Keyring.primary()
}

// protected reports whether nobody without a key is heard.
func (c Config) protected() bool { return c.Keyring != nil && c.Encryption == EncryptionRequired }
