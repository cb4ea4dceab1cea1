package lifecycle

// The states of a request ID, as the root knows it.
const (
	New State = "NEW"
	// Remembered: accepted, and repeats get the same answer.
	Remembered State = "REMEMBERED"
	Forgotten  State = "FORGOTTEN"
)

func request() Lifecycle {
	return Lifecycle{
		Name: Request, Of: "a request ID, by the results of its turns", Start: New,
		States: []State{New, Remembered, Forgotten},
		Steps: []Declared{
			{New, Remembered, "accept", "its turn accepted it"},
			{New, New, "refuse", "its turn refused it; a repeat is judged anew"},
			{New, New, "expire", "it came after its time"},
			{New, New, "saturate", "as many requests are remembered as may be"},
			{Remembered, Remembered, "deduplicate", "a repeat got the answer of the first"},
			{Remembered, Remembered, "reuse", "another request came under its ID, and was refused"},
			{Remembered, Forgotten, "forget", "its time is over"},
		},
	}
}
