// Package policy says who may do what: Roles, RoleBindings and Tokens, compiled
// for one revision of the root.
//
// It is a pure function of those objects, so that a turn and every node that
// answers reads judge alike. What no rule allows is refused; a rule that cannot be
// read whole allows nothing. fsm compiles and asks in turns, servers ask before
// they answer.
package policy

import (
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Verb is what somebody wants to do.
type Verb string

// The verbs.
const (
	Get    Verb = "get"
	List   Verb = "list"
	Watch  Verb = "watch"
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
)

// Verbs are all of them.
var Verbs = []Verb{Get, List, Watch, Create, Update, Delete}

// Section is the part of an object that a create or update writes.
type Section string

// The sections.
const (
	Spec     Section = "spec"
	Status   Section = "status"
	Observed Section = "observed"
)

var sections = []Section{Spec, Status, Observed}

// Kinds that stand for administration: what is done to the cluster and not to an
// object. They are written where a rule names kinds.
const (
	Members       = "system/members"
	Leadership    = "system/leadership"
	Snapshots     = "system/snapshots"
	Compactions   = "system/compactions"
	FeatureLevels = "system/featurelevels"
	Diagnostics   = "system/diagnostics"
	Views         = "system/views"
	GossipKeys    = "system/gossipkeys"
	Audit         = "system/audit"
	Tenures       = "system/tenures"
	IDs           = "system/ids"
	Timestamps    = "system/timestamps"
	Transitions   = "system/transitions"

	systemPrefix = "system/"
	everySystem  = "system/*"
	every        = "*"
)

// SystemKinds are all kinds that stand for administration.
var SystemKinds = []string{Members, Leadership, Snapshots, Compactions, FeatureLevels, Diagnostics, Views, GossipKeys, Audit, Tenures, IDs, Timestamps, Transitions}

// Ask is one thing that somebody wants to do. An empty Namespace of a list or
// watch is all of them; an empty Name is no particular object.
type Ask struct {
	Verb      Verb
	Kind      string
	Namespace string
	Name      string
	// Section counts for Create and Update; empty is Spec.
	Section Section
}

// String is the ask for people.
func (a Ask) String() string {
	var b strings.Builder
	b.WriteString(string(a.Verb) + " " + a.Kind)
	if a.Name != "" {
		b.WriteString("/" + a.Name)
	}
	if a.Namespace != "" {
		b.WriteString(" in namespace " + a.Namespace)
	}
	if a.Section != "" && a.Section != Spec {
		b.WriteString(" (section " + string(a.Section) + ")")
	}
	return b.String()
}

// Policy is immutable.
type Policy struct {
	revision uint64
	// bound are the roles of an actor, everyone those of all of a party: "worker/".
	bound    map[string][]*Role
	everyone map[string][]*Role
	tokens   map[string]Token
}

// Revision is the one of the newest change that the policy holds.
func (p *Policy) Revision() uint64 { return p.revision }

// Discovery is the name under which everybody may read what kinds there are: no
// request can be made without.
const Discovery = "discovery"

// Allows returns the role that allows it; not ok when none does.
func (p *Policy) Allows(actor string, ask Ask) (role string, ok bool) {
	if ask.Kind == string(candor.KindKinds) && (ask.Verb == Get || ask.Verb == List || ask.Verb == Watch) {
		return Discovery, true
	}
	for _, r := range p.bound[actor] {
		if r.allows(&ask) {
			return r.Name, true
		}
	}
	if party, _, found := strings.Cut(actor, "/"); found {
		for _, r := range p.everyone[party+"/"] {
			if r.allows(&ask) {
				return r.Name, true
			}
		}
	}
	return "", false
}

// RolesOf names the roles that the actor is bound to, sorted.
func (p *Policy) RolesOf(actor string) []string {
	var names []string
	add := func(roles []*Role) {
		for _, r := range roles {
			names = append(names, r.Name)
		}
	}
	add(p.bound[actor])
	if party, _, found := strings.Cut(actor, "/"); found {
		add(p.everyone[party+"/"])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Check is nil when the actor may, and otherwise FORBIDDEN, which says what was
// asked and at which revision.
func (p *Policy) Check(actor string, ask Ask) *candor.Error {
	if _, ok := p.Allows(actor, ask); ok {
		return nil
	}
	return &candor.Error{
		Reason: candor.ReasonForbidden, Subject: ask.Kind, Revision: p.revision,
		Message: actor + " may not " + ask.String() + ": no role that is bound to " + actor + " allows it",
	}
}

// accessKind says that whoever writes objects of the kind can become anyone:
// a rule must name it.
func accessKind(kind string) bool {
	switch candor.KindName(kind) {
	case candor.KindRoles, candor.KindRoleBindings, candor.KindTokens:
		return true
	default:
		return false
	}
}
