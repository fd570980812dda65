# SPDX-License-Identifier: GPL-2.0
#
# `make` builds the module against KDIR, as any module is built outside the kernel's tree.
# Everything else prepares what it needs by itself.

KDIR ?= /lib/modules/$(shell uname -r)/build

.PHONY: modules modules_install clean help demo test fuzz bench-quick bench-reject check shell test-corpus

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) MO=$(CURDIR)/build/module $@

# What was built as root by somebody with sudo is root's.
clean:
	rm -rf build 2>/dev/null || sudo rm -rf build

help:
	@echo 'make                  the module, against KDIR=$(KDIR)'
	@echo 'make modules_install  install it there'
	@echo 'make demo             real ssh and telnet sessions that survive address changes, in VMs'
	@echo 'make test             everything: protocol, module on stock and instrumented kernels'
	@echo 'make bench-quick      how long connections stand still when addresses change, in a VM'
	@echo 'make bench-reject     how many forged segments a processor rejects in a second, in a VM'
	@echo 'make fuzz             a million mutated segments against the module, instrumented kernel'
	@echo 'make test-corpus      the kernel'"'"'s own TCP tests, with the module and without'
	@echo 'make check            formatting, lints, documents, layer rules'
	@echo 'make shell            two VMs to type in'
	@echo 'make clean            remove what was built in this tree'

demo:
	tests/demo/run

test:
	tests/run all

bench-quick:
	tests/bench/quick

bench-reject:
	tests/bench/reject

fuzz:
	TCPC_FUZZ_RUNS=1000000 tests/run -k instrumented secure_attack/fuzz

check:
	scripts/check

test-corpus:
	tests/corpus/ktap

shell:
	tests/shell
