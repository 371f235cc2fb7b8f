package testutil

import (
	"bufio"
	"io"
	"net"
)

// maxLine bounds the lines that Lines reads, in bytes without their end.
const maxLine = 1 << 20

// Echo is a handler that sends back what it receives until either side ends.
func Echo(conn net.Conn) {
	_, _ = io.Copy(conn, conn)
}

// Lines makes a handler that calls answer for each line, without its line end
// (LF or CR LF), and sends the reply followed by LF. When ok is false it hangs
// up, after the reply if that isn't empty. What the end of the connection cuts
// off is no line. One of more than 1 MiB ends the connection. A nil answer sends
// every line back. answer is called by every connection on its own goroutine, so
// possibly by several at once.
func Lines(answer func(line string) (reply string, ok bool)) func(net.Conn) {
	if answer == nil {
		answer = func(line string) (string, bool) { return line, true }
	}
	return func(conn net.Conn) {
		lines := bufio.NewScanner(conn)
		lines.Buffer(nil, maxLine+len("\r\n"))
		lines.Split(func(data []byte, _ bool) (int, []byte, error) { return bufio.ScanLines(data, false) })
		for lines.Scan() && len(lines.Bytes()) <= maxLine {
			reply, ok := answer(lines.Text())
			if ok || reply != "" {
				if _, err := io.WriteString(conn, reply+"\n"); err != nil {
					return
				}
			}
			if !ok {
				return
			}
		}
	}
}
