# All that is needed is Go, git and make. The targets:
#
#	make demo    the quickstart: a client and a server that fails on schedule
#	make test    the tests of all modules, with the race detector
#	make check   what has to hold before a commit goes in, see below; its
#	             staticcheck takes Go 1.26, which an older go fetches
#	make cover   how much the tests cover; fails when it is too little
#	make bench   what a client costs beside a bare connection; all benchmarks
#	make fuzz    each fuzz test for FUZZTIME

# The modules, each after those it depends on.
MODULES = waiter dialer worker lifecycle testutil reconnect examples
# Modules that aren't part of the workspace: the tools of this file, a program
# that needs another module in the place of one of ours, and the programs that
# measure other clients, each with what that client needs.
APART = scripts examples/besidexnet $(RIVALS:%=examples/bench/rivals/%)
RIVALS = rig ours xnet nats autopaho
# The modules that have to be covered to at least COVERMIN percent.
COVERED = waiter dialer worker lifecycle reconnect
COVERMIN = 95

SYSTEMS = linux darwin windows freebsd
ARCHS = amd64 arm64
# What is built for another system isn't run, so it need be neither fast nor
# ready for a debugger; without both it takes a quarter less.
CROSSFLAGS = -gcflags='all=-N -l -dwarf=false' -ldflags=-w

GO = go
# Nothing that is built here is kept, so it need not know its revision, which git
# doesn't tell to others than the owner of a checkout.
BUILD = build -buildvcs=false
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# more flags for every go test, such as -v or -count=20
TESTFLAGS =
BENCHTIME = 1s
FUZZTIME = 10s

PACKAGES = $(MODULES:%=./%/...)

.PHONY: demo test check cover bench fuzz
.PHONY: fmt vet staticcheck layers tidy standalone apart cross

demo:
	@$(GO) run ./examples/quickstart

test:
	@race=; if $(GO) list -race errors >/dev/null; then race=-race; else \
		echo "Going on without the race detector. Where it needs cgo, that needs a C compiler."; fi; \
	set -x; $(GO) test $$race $(TESTFLAGS) $(PACKAGES)

check: fmt vet staticcheck layers tidy standalone apart cross

# every file is formatted
fmt:
	@files=$$(gofmt -l .) && test -z "$$files" || \
	{ echo "not formatted:" $$files; exit 1; }

vet:
	$(GO) vet $(PACKAGES)

staticcheck:
	$(GO) run $(STATICCHECK) $(PACKAGES)

# no module needs more than its layer allows
layers:
	GOWORK=off $(GO) -C scripts run ./layers -root ..

# every go.mod and go.sum has what is needed and nothing else
tidy:
	@set -e; for m in $(MODULES) $(APART); do \
		echo "GOWORK=off $(GO) -C $$m mod tidy -diff"; \
		GOWORK=off $(GO) -C $$m mod tidy -diff; \
	done

# every module builds and passes without the workspace, as it does elsewhere, and
# without the race detector, with which memory can't be measured; go test needs no
# vet of its own, which would look at everything anew
standalone:
	@set -e; for m in $(MODULES); do \
		echo "GOWORK=off $(GO) -C $$m test $(TESTFLAGS) ./..."; \
		GOWORK=off $(GO) -C $$m $(BUILD) ./...; \
		GOWORK=off $(GO) -C $$m test -vet=off $(TESTFLAGS) ./...; \
	done

# the same, and more, for what the other targets don't see
apart:
	@set -e; for m in $(APART); do \
		echo "GOWORK=off $(GO) -C $$m test $(TESTFLAGS) ./..."; \
		GOWORK=off $(GO) -C $$m vet ./...; \
		GOWORK=off $(GO) -C $$m run $(STATICCHECK) ./...; \
		GOWORK=off $(GO) -C $$m $(BUILD) -o /dev/null ./...; \
		GOWORK=off $(GO) -C $$m test -vet=off $(TESTFLAGS) ./...; \
	done

# everything builds for each system and architecture, and the tests are vetted for
# each system: no test depends on the architecture, and to compile all that the
# tests need twice as often would take longer than all the rest
cross:
	@set -e; here=$$($(GO) env GOHOSTOS)/$$($(GO) env GOHOSTARCH); \
	for s in $(SYSTEMS); do for a in $(ARCHS); do \
		if test $$s/$$a = $$here; then set --; else set -- $(CROSSFLAGS); fi; \
		echo "GOOS=$$s GOARCH=$$a $(GO) build"; \
		GOOS=$$s GOARCH=$$a $(GO) $(BUILD) "$$@" $(PACKAGES); \
		if test $$a = $(firstword $(ARCHS)); then \
			echo "GOOS=$$s GOARCH=$$a $(GO) vet"; \
			GOOS=$$s GOARCH=$$a $(GO) vet "$$@" $(PACKAGES); \
		fi; \
	done; done

cover:
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	for m in $(MODULES); do \
		GOWORK=off $(GO) -C $$m test $(TESTFLAGS) -coverpkg=./... -coverprofile="$$dir/$$m.out" ./...; \
	done; \
	set --; for m in $(MODULES); do set -- "$$@" "$$dir/$$m.out"; done; \
	gate=; for m in $(COVERED); do gate=$$gate,$$m; done; \
	GOWORK=off $(GO) -C scripts run ./cover -min $(COVERMIN) -gate "$$gate" "$$@"

bench:
	$(GO) -C examples run ./bench
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

# go test takes one fuzz test of one package at a time
fuzz:
	@set -e; packages=$$($(GO) list -buildvcs=false $(PACKAGES)); for p in $$packages; do \
		names=$$($(GO) test -list '^Fuzz' "$$p"); for f in $$names; do case $$f in Fuzz*) \
			echo "$(GO) test -fuzz ^$$f\$$ $$p"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$p";; \
		esac; done; \
	done
