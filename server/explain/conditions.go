package explain

import (
	"encoding/json"

	"github.com/candor-plane/candor"
)

// conditionsOf are an object's, by the usual convention; none where it keeps none.
func conditionsOf(o *candor.Object) candor.Conditions {
	if o == nil {
		return nil
	}
	var status struct {
		Conditions candor.Conditions `json:"conditions"`
	}
	if json.Unmarshal(o.Status, &status) != nil {
		return nil
	}
	return status.Conditions
}

// conditionText is "Ready False (HeartbeatMissed): message".
func conditionText(c *candor.Condition) string {
	text := c.Type + " " + string(c.Status)
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	return text
}

// conditionChanges are the conditions whose status differs: "Ready True -> False
// (HeartbeatMissed)".
func conditionChanges(was, is *candor.Object) []string {
	var out []string
	if was == nil || is == nil {
		return nil
	}
	old := conditionsOf(was)
	now := conditionsOf(is)
	for i := range now {
		c := &now[i]
		before := old.Get(c.Type)
		switch {
		case before == nil:
			out = append(out, c.Type+" "+string(c.Status)+" ("+c.Reason+")")
		case before.Status != c.Status:
			out = append(out, c.Type+" "+string(before.Status)+" -> "+string(c.Status)+" ("+c.Reason+")")
		}
	}
	return out
}

// phaseOf is the usual word of a status; empty where it has none.
func phaseOf(o *candor.Object) string {
	var status struct {
		Phase string `json:"phase"`
	}
	if json.Unmarshal(o.Status, &status) != nil {
		return ""
	}
	return status.Phase
}
