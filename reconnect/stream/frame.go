package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// frameHeader is the size of the length in front of a frame, in bytes.
const frameHeader = 4

// SplitFrame is a Split for messages that are preceded by their length, four
// bytes in network order that don't count themselves. A stream that ends within
// a frame gives [io.ErrUnexpectedEOF]. What the length announces takes no memory
// until it arrives.
func SplitFrame(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if len(data) >= frameHeader {
		size := uint64(binary.BigEndian.Uint32(data))
		if uint64(len(data)-frameHeader) >= size {
			end := frameHeader + int(size)
			return end, data[frameHeader:end], nil
		}
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

// MarshalFrame is a MarshalTo that writes bytes as [SplitFrame] wants them. It
// fails for more than 4 GiB less one byte, and with the error of w.
func MarshalFrame(m []byte, w io.Writer) error {
	if uint64(len(m)) > math.MaxUint32 {
		return fmt.Errorf("stream: frame of %d bytes exceeds %d", len(m), uint32(math.MaxUint32))
	}
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m)))); err != nil {
		return err
	}
	_, err := w.Write(m)
	return err
}

// MarshalJSON is a MarshalTo that writes m in JSON on a line of its own, which is
// what the default Split wants. It fails as [json.Marshal] does, and with
// the error of w.
func MarshalJSON[T any](m T, w io.Writer) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// UnmarshalJSON is an Unmarshal for what [MarshalJSON] writes. It keeps none of
// the bytes, and fails as [json.Unmarshal] does.
func UnmarshalJSON[T any](b []byte) (T, error) {
	var m T
	err := json.Unmarshal(b, &m)
	return m, err
}
