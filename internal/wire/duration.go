package wire

import "time"

// AppendDuration appends a google.protobuf.Duration.
func AppendDuration(b []byte, field int, d time.Duration) []byte {
	b, start := begin(b, field)
	b = AppendInt(b, 1, int64(d/time.Second))
	b = AppendInt(b, 2, int64(d%time.Second))
	return end(b, start)
}

// ReadDuration reads the field that outer stands at as a
// google.protobuf.Duration. One that time.Duration cannot hold is damage.
func ReadDuration(outer *Reader) time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	r := NewReader(outer.Bytes())
	var sec, nsec int64
	for r.Next() {
		switch r.Field() {
		case 1:
			sec = r.Int()
		case 2:
			nsec = r.Int()
		}
	}
	if r.bad || sec >= most || sec <= -most || nsec <= -1e9 || nsec >= 1e9 {
		outer.Fail()
		return 0
	}
	return time.Duration(sec)*time.Second + time.Duration(nsec)
}
