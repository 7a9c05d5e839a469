# The two commands of README.md, and the others a developer needs. Everything else is CMake
# (CMakePresets.json).

JOBS ?= $(shell nproc)
# The release preset takes warnings as errors, with g++ of Debian 12, which is the compiler we promise. So `make build` and `make test`
# compile alike, and what one compiled the other finds in ccache. With another compiler: make WERROR=OFF.
export WERROR
release := cmake --preset release $(if $(WERROR),-DMIDONET_WERROR=$(WERROR))
BUILD := build/release
.DEFAULT_GOAL := build

.PHONY: build demo test bench install dependencies clean

# Debian packages, once: a stamp remembers that they are there.
dependencies: build/.dependencies
build/.dependencies: tools/install-dependencies
	tools/install-dependencies
	@mkdir -p build && touch $@

# The release programs, in build/release/bin.
build: dependencies
	$(release) -DMIDONET_TESTS=OFF -DMIDONET_BENCHMARKS=OFF
	cmake --build $(BUILD) -j $(JOBS) --target midolman midonet-api midonet-cli midonet-nsdb mm-conf mm-ctl mm-dpctl mm-meter mm-trace

# A cloud of three hosts on this machine: brought up, proved, removed. KEEP=1 leaves it up; NSDB=zookeeper keeps
# its topology on an ensemble of three servers.
demo: build
	lab/midonet-lab demo $(if $(KEEP),--keep) $(if $(NSDB),--nsdb '$(NSDB)')

# Everything CI runs.
test: dependencies
	tools/test

# Speed, side by side with raw veth, Linux bridge and kernel VXLAN; figures in docs/performance.md.
bench: dependencies
	$(release) -DMIDONET_TESTS=ON -DMIDONET_BENCHMARKS=ON
	cmake --build $(BUILD) -j $(JOBS)
	tests/benchmarks/run

install: build
	cmake --install $(BUILD) $(if $(PREFIX),--prefix $(PREFIX))

clean:
	rm -rf build
