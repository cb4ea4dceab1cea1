package datadir

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/candor-plane/candor"
)

// corrupt says that the file at path is not what was written there.
func corrupt(path, format string, args ...any) *candor.Error {
	return refusal(candor.ReasonDataCorrupt, path, format, args...)
}

// foreign says that the file at path belongs to something else.
func foreign(path, format string, args ...any) *candor.Error {
	return refusal(candor.ReasonDataForeign, path, format, args...)
}

func refusal(reason candor.Reason, path, format string, args ...any) *candor.Error {
	return &candor.Error{Reason: reason, Subject: path, Message: path + ": " + fmt.Sprintf(format, args...)}
}

// ioError gives a failed operation on path its Error; it returns nil for nil
// and keeps an Error as it is. A full disk is DISK_PRESSURE.
func ioError(path string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*candor.Error](err); ok {
		return err
	}
	reason := candor.ReasonInternal
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		reason = candor.ReasonDiskPressure
	}
	return &candor.Error{Reason: reason, Subject: path, Message: err.Error(), Err: err}
}
