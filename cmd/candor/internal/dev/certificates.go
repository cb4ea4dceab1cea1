package dev

import (
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server"
)

// TLSDir is the authority's folder in a cluster's folder, and Admin the client
// that is issued a certificate there.
const (
	TLSDir = "tls"
	Admin  = "dev-admin"
)

// valid is how long everything is: a folder is taken up again after months.
const valid = 87600 * time.Hour

// certificates are the files of a cluster's parties.
type certificates struct {
	admin identity.Files
	nodes map[string]identity.Files // of servers and workers, by name
}

// certify makes what the folder has not yet: authority, a certificate for each
// server, whose data directory it makes too, and each worker, and one for the admin. What is there
// stays, so that a rotation of it stays too.
func certify(dir string, l Layout) (certificates, error) {
	path := filepath.Join(dir, TLSDir)
	folder, err := authority.Open(path, time.Now)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		folder, err = authority.Init(path, l.Token, valid, time.Now)
	}
	if err != nil {
		return certificates{}, err
	}
	have, err := folder.Parties()
	if err != nil {
		return certificates{}, err
	}
	c := certificates{nodes: map[string]identity.Files{}}
	for _, n := range l.Nodes {
		id, err := server.ServerID(filepath.Join(dir, n.Name), n.Name, "")
		if err != nil {
			return certificates{}, err
		}
		files, err := issued(folder, have, candor.PartyServer, id, n.Name, "localhost", "127.0.0.1")
		if err != nil {
			return certificates{}, err
		}
		c.nodes[n.Name] = files
	}
	for i := range l.Workers {
		name := workerName(i)
		files, err := issued(folder, have, candor.PartyWorker, name, name)
		if err != nil {
			return certificates{}, err
		}
		c.nodes[name] = files
	}
	c.admin, err = issued(folder, have, candor.PartyClient, Admin, Admin)
	return c, err
}

// issued is what the party has, or what it is issued now.
func issued(folder *authority.Folder, have []authority.Party, party candor.Party, name, prefix string, addresses ...string) (identity.Files, error) {
	id := candor.Identity{Cluster: folder.Cluster(), Party: party, Name: name}
	for _, p := range have {
		if p.Identity == id {
			return p.Files, nil
		}
	}
	// Files without a usable pair are what an interrupted start left, or a data
	// directory that was made anew: Overwrite replaces them unless they are of
	// another party.
	p, err := folder.Issue(authority.Request{Identity: id, ValidFor: valid, Addresses: addresses, Prefix: prefix, Overwrite: true})
	return p.Files, err
}
