# afterwork: `make help` lists the targets and the knobs.
#
# One make, no recursion over folders: everything is built out of tree under
# $B, headers are tracked by the compiler, and a change of flags or of the list
# of sources rebuilds what depends on it.

# --- knobs -------------------------------------------------------------------
comma := ,
SAN ?=
B ?= build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
DESTDIR ?=
DEVELOPER ?= 0
FUZZ_SECONDS ?= 60
V ?=
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
FUZZ_CC ?= clang
OBJCOPY ?= objcopy
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config

# --- flags -------------------------------------------------------------------
STRICT := -Wformat=2 -Wconversion -Wsign-conversion -Wshadow -Wcast-qual \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
	-Wwrite-strings -Wnull-dereference -Werror
WARN := -Wall -Wextra $(if $(filter 1,$(DEVELOPER)),$(STRICT))

IS_CLANG := $(findstring clang,$(CC))
HARDEN := -fstack-clash-protection -fstack-protector-strong \
	-fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
# Fortified calls and zeroed variables would hide from a sanitizer what it is
# there to find.  clang 14 wants a second flag before it zeroes variables.
HARDEN += $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	$(if $(IS_CLANG),,-ftrivial-auto-var-init=zero))
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)

DIALECT := -std=c17 -D_GNU_SOURCE -I. -I$B/gen \
	$(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null)
ALL_CFLAGS = $(DIALECT) $(CPPFLAGS) $(CFLAGS) $(WARN) $(HARDEN) $(SANFLAGS) \
	-fPIE $(EXTRA_CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
	-Wl,-z,separate-code -Wl,--as-needed $(SANFLAGS) $(LDFLAGS)
# Every program names all of them and, by --as-needed, gets what it calls.
LIBS := -lfcgi -lpq -ljson-c -lsodium -lmagic -lcurl $(LDLIBS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# --- what there is -----------------------------------------------------------
COMMON_C := $(sort $(wildcard common/*/*.c))
COMMAND_C := $(sort $(wildcard deploy/command/*.c))
FN_C := $(sort $(wildcard functions/*.c))
TASK_C := $(sort $(wildcard functions/tasks/*.c functions/tasks/*/handler.c))
TEST_TASK_C := $(sort $(wildcard tests/tasks/*.c tests/tasks/*/handler.c))
# Built-in tasks that are executables of their own.
PROGRAM_C := $(sort $(wildcard functions/tasks/*/main.c))
# What stands beside main.c is theirs, too.
PROGRAM_PARTS_C := $(filter-out %/main.c %/handler.c,\
	$(sort $(wildcard functions/tasks/*/*.c)))
TASK_JSON := $(sort $(wildcard functions/tasks/*/task.json))
UNIT_C := $(sort $(wildcard tests/unit/test_*.c))
# libafterwork: what enqueueing and waking need, and no more.
LIB_C := $(sort $(wildcard common/lib/*.c)) \
	$(addprefix common/base/,buf.c clock.c err.c log.c num.c path.c proc.c) \
	common/parse/duration.c common/link/conf.c \
	$(sort $(wildcard common/link/db*.c)) \
	$(addprefix common/queue/,enqueue.c job.c) \
	$(addprefix common/runner/,after.c slot.c)
BENCH_C := $(sort $(wildcard tests/bench/*.c))
FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
# The order is the order in which they are applied.
SCHEMA := $(sort $(wildcard schema/queue/*.sql)) \
	$(sort $(wildcard schema/queue/api/*.sql)) \
	$(sort $(wildcard schema/site/[0-9]*.sql)) \
	$(sort $(wildcard schema/site/api/*.sql)) \
	$(wildcard schema/roles.sql) $(wildcard schema/site/roles.sql)

obj = $(patsubst %.c,$B/obj/%.o,$(1))
tobj = $(patsubst %.c,$B/tobj/%.o,$(1))
lobj = $(patsubst %.c,$B/lobj/%.o,$(1))
fobj = $(patsubst %.c,$B/fuzz/obj/%.o,$(1))

COMMON := $B/libcommon.a
COMMAND := $B/libcommand.a
FNS := $(patsubst %.c,$B/%,$(FN_C))
PLAIN_FNS := $(filter-out $B/functions/run,$(FNS))
TEST_FNS := $(patsubst $B/functions/%,$B/tests/functions/%,$(FNS))
AFTERWORK := $(if $(COMMAND_C),$B/afterwork)
TASKS := $(patsubst functions/tasks/%,$B/tasks/%,$(TASK_JSON))
PROGRAMS := $(patsubst functions/tasks/%/main.c,$B/tasks/%/handler,$(PROGRAM_C))
LIB_VERSION := 1.0.0
SONAME := libafterwork.so.1
LIB_SO := $B/lib/libafterwork.so.$(LIB_VERSION)
LIB_A := $B/lib/libafterwork.a
UNITS := $(patsubst %.c,$B/%,$(UNIT_C))
BENCHES := $(patsubst tests/bench/%.c,$B/bench/%,$(BENCH_C))
# Runners with another handler for the upload's job, an upload beside each.
BENCH_TASK_C := $(sort $(wildcard tests/bench/tasks/*/handler.c))
BENCH_RUNS := $(patsubst tests/bench/tasks/%/handler.c,\
	$B/bench/%/functions/run,$(BENCH_TASK_C))
BENCH_UPLOADS := $(BENCH_RUNS:%/run=%/upload)
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(FUZZ_C))

# --- targets -----------------------------------------------------------------
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
# Programs are made from objects that make would call intermediate.
.SECONDARY:
.PHONY: all lib help packages test check bench compat fuzz fuzzers lint asan demo start \
	stop install install-files uninstall clean format compdb test-programs \
	test-pooled bench-programs FORCE

all: $(FNS) $(AFTERWORK) $(TASKS) $(PROGRAMS) lib	## build everything under build/ (no service needed)

lib: $(LIB_SO) $(LIB_A)	## libafterwork only: to enqueue from C programs

help:	## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / \
	    { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@printf '%s\n' '' 'Knobs (make NAME=value):' \
	    '  B=build            where everything is built' \
	    '  CC= CFLAGS= CPPFLAGS= LDFLAGS= LDLIBS=   as usual' \
	    '  DEVELOPER=1        strict warnings, and warnings are errors' \
	    '  SAN=address,undefined   sanitizers, in a build folder of their own' \
	    '  V=1                show the commands' \
	    '  STATE=.run         folder of the private stack' \
	    '  PORT=8080          its HTTP port, on loopback' \
	    '  PINGER=off         start it without the scheduled pings' \
	    '  POOLED=1           through PgBouncer in transaction mode: start, demo, test' \
	    '  POOL_SIZE=2        connections of each login behind it' \
	    '  CGI=on             plain CGI: no function process between requests' \
	    '  T="tests/http/upload*.t"   run these tests only' \
	    '  LEDGER_JOBS=2000 LEDGER_SEED=   jobs and dice of T=tests/crash/ledger.t' \
	    '  FUZZ_SECONDS=60    how long each fuzzer runs (in make test: 5)' \
	    '  QUICK=1, FULL=1    a short look, and the long form, of make bench' \
	    '  FIGURES="rate keys"   these of its figures only' \
	    '  PREFIX=/usr/local DESTDIR=   where make install puts it'

packages:	## install the Debian packages that building and testing need
	deploy/packages.sh test

# Packages come before make reads their flags, hence the second make.
again = $(MAKE) --no-print-directory $(if $(filter -j% j%,$(MAKEFLAGS)),,-j$(shell nproc))

test:	## install what is missing, build, run every test
	@deploy/packages.sh test
	@$(again) all test-programs
	@B=$B tests/run $(T)

# What a pooler could upset, and about a minute's worth of it.
POOLED_T := $(if $(wildcard tests/unit/test_db_tx.c),$B/tests/unit/test_db_tx) \
	$(wildcard $(addprefix tests/http/,jobs-enqueue.t jobs-read.t \
	enqueue-command.t handle-schedules.t media-upload.t) \
	$(addprefix tests/crash/,lease-fence.t runner-kill-each-step.t \
	link-lost.t timeouts-and-crashes.t))

test-pooled:	## some tests again through PgBouncer (all: make test POOLED=1)
	@$(MAKE) --no-print-directory test POOLED=1 T="$(POOLED_T)"

check: $(UNITS)	## unit tests and lint only: no service
	prove $(UNITS) $(wildcard tests/lint/*.sh)

bench:	## the table of figures, with the floors of the same run, and peers
	@deploy/packages.sh build
	@deploy/packages.sh bench || echo 'bench: goes on without the peers'
	@$(again) bench-programs
	B=$B tests/bench/run $(FIGURES)

compat:	## the same requests to the site and to a real Payload, compared
	@deploy/packages.sh build
	@deploy/packages.sh bench
	@$(again) all test-programs
	@B=$B tests/compat/run

bench-programs: all $(BENCHES) $(BENCH_RUNS) $(BENCH_UPLOADS)

lint:	## layers, banned calls, headers, SQL, style, shellcheck
	B=$B prove --jobs 2 $(wildcard tests/lint/*.sh)

asan:	## every test again under address and undefined sanitizers
	@$(MAKE) --no-print-directory SAN=address,undefined test

demo:	## a picture's way from upload to gallery, on a stack that stays up
	@deploy/packages.sh $(if $(filter 1,$(POOLED)),pooled,build)
	@$(again) all
	@B=$B deploy/demo

start:	## start the private stack (STATE=, PORT=, PINGER=off)
	@deploy/packages.sh $(if $(filter 1,$(POOLED)),pooled,build)
	@$(again) all
	@B=$B deploy/stack start

stop:	## end exactly what start started
	@B=$B deploy/stack stop

format:	## clang-format every C file
	clang-format -i $(shell find common functions deploy tests -name '*.[ch]')

clean:	## remove the build folder (never the stack's data)
	rm -rf $B

export STATE PORT PINGER CGI POOLED POOL_SIZE SAN

# --- rules -------------------------------------------------------------------
# A missing header should say which command helps, not which line of C broke.
$B/libs-present:
	@mkdir -p $(@D)
	@$(PKG_CONFIG) --exists libpq json-c libsodium libcurl && \
	    test -e /usr/include/fcgiapp.h -a -e /usr/include/magic.h || \
	    { echo 'a library is missing: run deploy/packages.sh' >&2; exit 1; }
	@touch $@

# keep(FILE,TEXT): FILE is rewritten only when TEXT is another one.
keep = @mkdir -p $(dir $(1)); printf '%s\n' '$(2)' | cmp -s - $(1) || \
	printf '%s\n' '$(2)' >$(1)

$B/flags: FORCE
	$(call keep,$@,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))
$B/lists/common: FORCE
	$(call keep,$@,$(COMMON_C))
$B/lists/lib: FORCE
	$(call keep,$@,$(LIB_C) $(LIB_VERSION) $(PREFIX))
$B/lists/command: FORCE
	$(call keep,$@,$(COMMAND_C))
$B/lists/tasks: FORCE
	$(call keep,$@,$(TASK_C) $(TEST_TASK_C) $(PROGRAM_PARTS_C))
$B/lists/schema: FORCE
	$(call keep,$@,$(SCHEMA))

compile = $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
link = $(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
	$(filter %.a,$^) $(LIBS)
archive = rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$B/obj/%.o: %.c $B/flags | $B/libs-present
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(compile)

$B/obj/gen/%.o: $B/gen/%.c $B/flags | $B/libs-present
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(compile)

# The runner that tests use: the same sources, with the tests' own tasks and
# the points where a test may stop or kill it.
$B/tobj/%.o: EXTRA_CFLAGS = -DAFTERWORK_TEST
$B/tobj/%.o: %.c $B/flags | $B/libs-present
	@mkdir -p $(@D)
	$(call say,CC,'$< (test)')
	$(Q)$(compile)

$(COMMON): $(call obj,$(COMMON_C)) $B/lists/common
	$(call say,AR,$@)
	$(Q)$(archive)

$(COMMAND): $(call obj,$(filter-out %/main.c,$(COMMAND_C))) \
    $B/obj/gen/schema.o $B/lists/command
	$(call say,AR,$@)
	$(Q)$(archive)

# The library's objects show nothing but what <afterwork.h> names.  The static
# one is a single object whose other names are made local, so that a program's
# own buf_add() is no clash.
$B/lobj/%.o: EXTRA_CFLAGS = -fPIC -fvisibility=hidden \
	-DAFTERWORK_PREFIX='"$(PREFIX)"' -DAFTERWORK_VERSION='"$(LIB_VERSION)"'
$B/lobj/%.o: %.c $B/flags $B/lists/lib | $B/libs-present
	@mkdir -p $(@D)
	$(call say,CC,'$< (lib)')
	$(Q)$(compile)

$(LIB_SO): $(call lobj,$(LIB_C))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(filter-out -pie,$(ALL_LDFLAGS)) \
	    $(if $(SAN),,-Wl,-z,defs) -Wl,-soname,$(SONAME) -o $@ $^ \
	    -lpq $(LDLIBS)

$(LIB_A): $(call lobj,$(LIB_C))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $B/lib/afterwork.o $^
	$(Q)$(OBJCOPY) --localize-hidden $B/lib/afterwork.o
	$(Q)rm -f $@ && $(AR) rcs $@ $B/lib/afterwork.o

$B/libtestrun.a: $(call tobj,$(filter common/runner/%,$(COMMON_C)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PLAIN_FNS): $B/functions/%: $B/obj/functions/%.o $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$B/functions/run: $(call obj,functions/run.c $(TASK_C)) $(COMMON) \
    $B/lists/tasks
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$B/tests/functions/run: $(call tobj,functions/run.c $(TASK_C) \
    $(TEST_TASK_C)) $B/libtestrun.a $(COMMON) $B/lists/tasks
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$(filter-out %/run,$(TEST_FNS)): $B/tests/functions/%: $B/functions/%
	@mkdir -p $(@D)
	$(Q)ln -f $< $@

$B/afterwork: $(call obj,deploy/command/main.c) $(COMMAND) $(COMMON)
	$(call say,LD,$@)
	$(Q)$(link)

$B/tasks/%: functions/tasks/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

# Of all parts in one library a program takes its own.
$B/libprograms.a: $(call obj,$(PROGRAM_PARTS_C)) $B/lists/tasks
	$(call say,AR,$@)
	$(Q)$(archive)

$(PROGRAMS): $B/tasks/%/handler: $B/obj/functions/tasks/%/main.o \
    $B/libprograms.a $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$B/gen/schema.c: $(SCHEMA) $B/lists/schema deploy/embed.sh
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)deploy/embed.sh $(SCHEMA) >$@

test-programs: $(UNITS) $(TEST_FNS) $B/tests/client

$B/tests/client: $B/obj/tests/client.o $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$(UNITS): $B/%: $B/obj/%.o $(if $(COMMAND_C),$(COMMAND)) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$(BENCHES): $B/bench/%: $B/obj/tests/bench/%.o $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

# What a runner links, whether it calls it or not: the floor starts as slowly.
$B/bench/spawn: ALL_LDFLAGS += -Wl,--no-as-needed
$B/bench/spawn: LIBS = -lfcgi -lpq -ljson-c -lsodium $(LDLIBS)

$(BENCH_RUNS): $B/bench/%/functions/run: $B/obj/tests/bench/tasks/%/handler.o \
    $(call obj,functions/run.c tests/tasks/noop/handler.c) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link)

$B/bench/single/functions/run: ALL_LDFLAGS += -Wl,--wrap=pace_learn

$(BENCH_UPLOADS): $B/functions/upload
	@mkdir -p $(@D)
	$(Q)ln -f $< $@

# --- fuzzing -----------------------------------------------------------------
# What a fuzzer may reach: bytes and values, no database.
FUZZ_LIB_C := $(filter common/base/% common/parse/% common/link/%,$(COMMON_C))
FUZZ_FLAGS := $(DIALECT) -O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

$B/fuzz/obj/%.o: %.c | $B/libs-present
	@mkdir -p $(@D)
	$(call say,CC,'$< (fuzz)')
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$B/fuzz/libcommon.a: $(call fobj,$(FUZZ_LIB_C)) $B/lists/common
	$(Q)$(archive)

$(FUZZERS): $B/fuzz/%: $B/fuzz/obj/tests/fuzz/%.o $B/fuzz/libcommon.a
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -Wl,--as-needed \
	    -o $@ $^ $(LIBS)

fuzzers: $(FUZZERS)	## build the fuzzers only

fuzz: fuzzers	## run each fuzzer for FUZZ_SECONDS
	@set -e; for f in $(FUZZERS:$B/fuzz/fuzz_%=%); do \
	    mkdir -p $B/fuzz/corpus/$$f; dict=tests/fuzz/$$f.dict; \
	    seeds=tests/fuzz/corpus/$$f; echo "fuzz_$$f"; \
	    $B/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) \
		-print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$B/fuzz/fuzz_$$f- \
		$$(test -e $$dict && echo -dict=$$dict) \
		$B/fuzz/corpus/$$f $$(test -d $$seeds && echo $$seeds); \
	done

# --- for other tools ---------------------------------------------------------
ALL_C := $(COMMON_C) $(COMMAND_C) $(FN_C) $(TASK_C) $(PROGRAM_C) \
	$(PROGRAM_PARTS_C) \
	$(UNIT_C) $(BENCH_C) tests/client.c \
	$(BENCH_TASK_C)
entry = {"directory":"$(CURDIR)","file":"$(1)",$\
	"command":"$(CC) $(ALL_CFLAGS) -c $(1)"}

compdb:	## compile_commands.json for editors and clang-tidy
	@{ printf '[\n'; sep=; \
	    for e in $(foreach c,$(ALL_C),'$(call entry,$(c))'); do \
		printf '%s%s' "$$sep" "$$e"; sep=',\n'; \
		sep=$$(printf ',\nx'); sep=$${sep%x}; \
	    done; printf '\n]\n'; } >compile_commands.json

# --- install -----------------------------------------------------------------
LIBDIR = $(DESTDIR)$(PREFIX)/lib/afterwork
SHARE = $(DESTDIR)$(PREFIX)/share/afterwork
DOC = $(DESTDIR)$(PREFIX)/share/doc/afterwork
CLIB = $(DESTDIR)$(PREFIX)/lib
INC = $(DESTDIR)$(PREFIX)/include

install: all install-files	## functions, command, library, tasks, page and nginx files under PREFIX

# What has been built, as it is.
install-files:
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBDIR)/functions \
	    $(LIBDIR)/tasks $(SHARE)/admin $(SHARE)/nginx $(CLIB)/pkgconfig \
	    $(INC) $(DOC)/deploy $(DOC)/schema
	install -m 0755 $(FNS) $(LIBDIR)/functions/
	install -m 0755 $(AFTERWORK) $(DESTDIR)$(PREFIX)/bin/
	cp -R $B/tasks/. $(LIBDIR)/tasks/
	cp -R functions/admin/. $(SHARE)/admin/
	install -m 0644 deploy/nginx/*.conf $(SHARE)/nginx/
	install -m 0644 vercel.json functions/openapi.json $(SHARE)/
	install -m 0644 common/lib/afterwork.h $(INC)/
	install -m 0644 $(LIB_A) $(LIB_SO) $(CLIB)/
	ln -sf libafterwork.so.$(LIB_VERSION) $(CLIB)/$(SONAME)
	ln -sf $(SONAME) $(CLIB)/libafterwork.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(LIB_VERSION)|' \
	    common/lib/afterwork.pc.in >$(CLIB)/pkgconfig/afterwork.pc
	install -m 0644 README.md LICENSE $(DOC)/
	install -m 0644 deploy/README.md $(DOC)/deploy/
	install -m 0644 schema/README.md $(DOC)/schema/

uninstall:	## remove what install put there
	rm -rf $(LIBDIR) $(SHARE) $(DOC)
	rm -f $(DESTDIR)$(PREFIX)/bin/afterwork $(INC)/afterwork.h \
	    $(CLIB)/libafterwork.a $(CLIB)/libafterwork.so* \
	    $(CLIB)/pkgconfig/afterwork.pc

-include $(patsubst %.o,%.d,$(call obj,$(ALL_C)) $(call lobj,$(LIB_C)) \
	$(call tobj,$(filter common/runner/%,$(COMMON_C)) functions/run.c \
	$(TASK_C) $(TEST_TASK_C)) $(call fobj,$(FUZZ_LIB_C) $(FUZZ_C)))
