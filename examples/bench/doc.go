// Command bench measures what a [reconnect.Client] costs.
//
// Every figure is measured against the standard library doing the same work
// in the same process: a batch of raw connections, a batch of clients, and
// another one of raw connections, turn by turn, each on a connection of its
// own. What is reported are medians over those rounds, the spread of the
// differences between neighbours, and as noise floor the same difference
// between raw and raw.
//
//	go run ./bench                      # everything, a few minutes
//	go run ./bench -run 'read|write'    # some figures
//	go run ./bench -json figures.jsonl  # for machines as well
//	go run ./bench -rivals              # other reconnecting clients
//
// It is a measuring device, not a test: a figure that misses its limit is
// shown as such, and changes the exit code only with -strict.
package main
