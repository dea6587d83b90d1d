# DLB for Darknet. `make help` lists the targets.
#
# Flags, as in Darknet's own Makefile: GPU CUDNN OPENCV OPENMP DEBUG (0 or 1), and
#   CUDA=PATH           where the CUDA toolkit is; the default is /usr/local/cuda
#   ARCH=OPTIONS        nvcc's, for what to compile; the default is the card at hand or, where there is none,
#                       all that the toolkit knows from 7.5 on
#   OPENBLAS=0          matrix products by the host's own loops
#   ONEDNN=0            layers on the CPU by the host's own loops; 1 needs libdnnl-dev
#   MPI=1               several processes train one network together, see README.md; needs an MPI
#   MPIRUN=NAME         what starts them with GPU=1 MPI=1 and -gpus 0,1; the default is the one of MPICC's name
#   NCCL=1              with GPU=1 MPI=1: sums over the processes from GPU to GPU; needs NCCL, in the toolkit's
#                       folder or the compiler's
#   PORTABLE=1          for any processor of this kind, not only for the one it is built on
#   SANITIZE=LIST       address,undefined or thread
#   DARKNET_SRC=PATH    the host from a checkout or tarball of yours
# Builds with different flags live in different folders under build/.

VERSION := 0.1.0

GPU      ?= 0
CUDNN    ?= 0
OPENMP   ?= 0
DEBUG    ?= 0
OPENBLAS ?= 1
SANITIZE ?=
MPI      ?= 0
NCCL     ?= 0
OPENCV   ?= $(shell pkg-config --exists opencv4 2>/dev/null && echo 1 || echo 0)

# On where its header is; off under ThreadSanitizer, which does not know OpenMP's barriers.
ifeq ($(origin ONEDNN),undefined)
ONEDNN := $(if $(filter 1,$(GPU))$(findstring thread,$(SANITIZE)),0,$(shell \
	echo '\#include <oneapi/dnnl/dnnl.h>' | $(CC) -E - >/dev/null 2>&1 && echo 1 || echo 0))
endif

CUDA ?= /usr/local/cuda
NVCC ?= $(CUDA)/bin/nvcc
ifeq ($(GPU),1)
ifeq ($(origin ARCH),undefined)
ARCH := $(shell darknet/gpu_arch.sh '$(NVCC)')
$(if $(ARCH),,$(error no ARCH for GPU=1: see above))
endif
# Objects for other cards, or of another toolkit, live in another folder.
GPU_TAG := -gpu-$(shell echo '$(CUDA) $(ARCH)' | cksum | cut -d ' ' -f 1)
endif

# mpicc is Open MPI's or MPICH's, whichever this machine prefers. Objects of another one live in another folder.
MPICC ?= mpicc
# mpicc.mpich has mpirun.mpich beside it; any other name has mpirun.
mpicc_word := $(lastword $(MPICC))
MPIRUN ?= $(if $(findstring /,$(mpicc_word)),$(dir $(mpicc_word)))mpirun$(patsubst mpicc%,%,$(filter mpicc%,$(notdir $(mpicc_word))))
ifeq ($(MPI),1)
MPI_TAG := -mpi-$(shell { $(MPICC) -show 2>/dev/null; echo '$(MPIRUN)'; } | cksum | cut -d ' ' -f 1)
endif

ifeq ($(NCCL),1)
ifneq ($(GPU)$(MPI),11)
$(error NCCL=1 adds up what several processes have on GPUs: it needs GPU=1 MPI=1 beside it)
endif
endif

comma := ,
CONFIG := $(strip $(subst $(comma),-,build$(GPU_TAG)$(if $(filter 1,$(CUDNN)),-cudnn)$(if \
	$(filter 1,$(OPENCV)),-opencv)$(if $(filter 1,$(OPENMP)),-openmp)$(if $(filter 1,$(OPENBLAS)),-openblas)$(if \
	$(filter 1,$(ONEDNN)),-onednn)$(MPI_TAG)$(if $(filter 1,$(NCCL)),-nccl)$(if $(filter 1,$(PORTABLE)),-portable)$(if \
	$(filter 1,$(DEBUG)),-debug)$(if $(SANITIZE),-$(SANITIZE))))
BUILD := build/$(CONFIG)
HOST  := darknet/host

# ---- the host, fetched and patched ----

PATCHES      := $(sort $(wildcard patches/*.patch))
HOST_STAMP   := darknet/.series/applied
HOST_LIBRARY := gemm utils cuda deconvolutional_layer convolutional_layer list image activations im2col \
	col2im blas crop_layer dropout_layer maxpool_layer softmax_layer data matrix network connected_layer \
	cost_layer parser option_list detection_layer route_layer upsample_layer box normalization_layer \
	avgpool_layer layer local_layer shortcut_layer logistic_layer activation_layer rnn_layer gru_layer \
	crnn_layer demo batchnorm_layer region_layer reorg_layer tree lstm_layer l2norm_layer yolo_layer \
	iseg_layer
HOST_CUDA    := convolutional_kernels deconvolutional_kernels activation_kernels im2col_kernels \
	col2im_kernels blas_kernels crop_layer_kernels dropout_layer_kernels maxpool_layer_kernels \
	avgpool_layer_kernels
HOST_PROGRAM := captcha lsd super art tag cifar go rnn segmenter regressor classifier coco yolo detector \
	nightmare instance-segmenter darknet

# ---- ours ----

# What knows nothing of Darknet comes first, the adapters after it.
DLB_LAYER := fail own_program launcher row_share pairwise_sum compute_threads gradient_buckets bucket_flow gradient_sums shared_network rank_device train_agreement safe_file state_file fingerprint host_random train_signals file_bytes data_line number_text cfg_value avgpool_keys avgpool_gpu route_gpu shortcut_gpu layer_ends_gpu fused_batchnorm \
	weight_init bias_key decay_all gpu_status gpu_stream network_form matrix_math half_key half_convolution loss_scale_gpu staged_rows device_input pinned_floats convolution_algorithms finite_values layer_arrays step_snapshot finite_guard device_list joined_statistics_gpu weights_file memory_limit cfg_section cfg_sizes cfg_references saved_weights \
	logit_ring dlb_options net_keys \
	worker_threads overlap_sampler overlap_loader pixel_pool drawn_rows class_names train_list image_claim image_decode augment normalise cutout random_beta mix_rows train_log \
	dlb_cost_layer dlb_cost_layer_gpu step_losses step_plan step_graph image_planes array_list nesterov recipe network_arrays whole_network_gpu image_rows classifier_data number_option classifier_options batched_prediction \
	checkpoint train_saving train_state train_resume training classifier_valid classifier_predict train_validation train_checks train_reports train_rows classifier_train
COMMANDS  := dlb_command command_options shell_words whole_file parse_number display_text \
	prepare prepare_options data_set fashion_mnist idx_file cifar tiny_imagenet image_folder image_files file_tree \
	subset label_noise image_writer text_file folders \
	compare comparison_plan comparison_run run_seconds comparison_files cfg_text file_lock log_tail key_values csv_table \
	report report_text report_charts results_csv comparison_results run_log chart_curves run_gnuplot statistics \
	student_t \
	inspect quiet_parser layer_size \
	show contact_sheet $(if $(filter 1,$(OPENCV)),contact_sheet_opencv,contact_sheet_none)
DLB_CUDA  := row_kernels half_kernels shortcut_kernels bias_kernels batchnorm_kernels fused_batchnorm_kernels array_list_kernels dlb_cost_kernels step_losses_kernels avgpool_kernels nesterov_kernels render_kernels
# The CPU backend; see onednn/cpu_backend.h.
MPI_FILES := $(if $(filter 1,$(MPI)),ranks_mpi rank_sums_mpi gradient_sums_gpu pinned_sums)$(if $(filter 1,$(NCCL)), nccl_sums)
BACKEND   := $(if $(filter 1,$(ONEDNN)),engine buffer_pool blocked blocked_pool conv_primitives sgd_step backend normalization \
	conv_layer batchnorm_layer_cpu activation_layer_cpu shortcut_layer_cpu pool_layers take_over thread_waiting,none)
DECODER   := $(if $(filter 1,$(OPENCV)),image_decode_opencv,image_decode_stb)

HOST_OBJECTS    := $(HOST_LIBRARY:%=$(BUILD)/host/%.o) $(BUILD)/host/image_opencv.o
PROGRAM_OBJECTS := $(HOST_PROGRAM:%=$(BUILD)/program/%.o) $(COMMANDS:%=$(BUILD)/commands/%.o)
DLB_OBJECTS     := $(DLB_LAYER:%=$(BUILD)/dlb_layer/%.o) $(MPI_FILES:%=$(BUILD)/dlb_layer/%.o) $(BUILD)/dlb_layer/$(DECODER).o \
	$(BACKEND:%=$(BUILD)/onednn/%.o)

# ---- flags ----

OPTS     := $(if $(filter 1,$(DEBUG)),-O0 -g,-Ofast)
DLB_OPTS := $(if $(filter 1,$(DEBUG)),-O0 -g,-O3 -g)
ifneq ($(SANITIZE),)
OPTS     := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE)
DLB_OPTS := $(OPTS) -fno-sanitize-recover=all
# gcc 12 sees truncation where its own instrumentation hid the bounds.
DLB_OPTS += -Wno-format-truncation -Wno-format-overflow
endif

DEFINES := $(if $(filter 1,$(GPU)),-DGPU -I$(CUDA)/include)$(if $(filter 1,$(CUDNN)), -DCUDNN)$(if \
	$(filter 1,$(OPENCV)), -DOPENCV)$(if $(filter 1,$(OPENBLAS)), -DOPENBLAS)
INCLUDES := -I$(HOST)/include -I$(HOST)/src -Idlb_layer -Icommands -Ionednn
COMMON   := -fPIC $(DEFINES) $(INCLUDES) -MMD -MP
# Headers that are not ours are system headers to our own files, which are not to blame for their
# warnings, and yet named as what the objects depend on (-MD).
as_system = $(patsubst -I%,-isystem %,$(1))
OURS     := -fPIC $(call as_system,$(DEFINES) $(filter -I$(HOST)/%,$(INCLUDES))) $(filter-out -I$(HOST)/%,$(INCLUDES)) -MD -MP
OURS_CUDA = $(filter-out -fPIC -pthread,$(OURS))
OMP      := $(if $(filter 1,$(OPENMP)),-fopenmp)

# The host's own flags, at the link too, where -Ofast turns denormal numbers off. -Ofast also lets
# the compiler assume that no number is NaN or infinite, so it is kept off our own code.
HOST_CFLAGS := -Wall -Wno-unused-result -Wno-unknown-pragmas -Wno-stringop-truncation -Wfatal-errors $(OMP) $(OPTS)
# Where memory runs out, the host goes on with a null pointer; allocate() of fail.h says so and ends.
HOST_ALLOC  := -Dcalloc=allocate
DLB_WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers -Werror
DLB_CFLAGS  := -std=gnu11 $(DLB_WARN) $(DLB_OPTS) -fopenmp-simd
# Its passes over memory are vector code without dispatch; no vector crosses a file (psabi).
BACKEND_CFLAGS := -std=gnu11 $(DLB_WARN) -Wno-psabi -fopenmp $(if $(filter 1,$(DEBUG))$(SANITIZE),$(DLB_OPTS),-O3 -g $(if \
	$(filter 1,$(PORTABLE)),,-march=native))
# The loss's rows, Nesterov's step and the look for NaN are vector code, on OpenMP's threads where the program has them.
NATIVE      := $(if $(filter 1,$(PORTABLE)),,-march=native $(if $(filter x86_64,$(shell uname -m)),-mprefer-vector-width=512))
LOSS_CFLAGS := $(if $(filter 1,$(DEBUG))$(SANITIZE),,$(NATIVE) $(if $(filter 1,$(ONEDNN) $(OPENMP)),-fopenmp))
LDLIBS      := -lz -lpng -lm -pthread
COMMAND_LIBS := -larchive -lcsv -lstdc++
LDFLAGS     := $(OMP) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

ifeq ($(OPENBLAS),1)
COMMON += $(shell pkg-config --cflags openblas 2>/dev/null)
LDLIBS += $(shell pkg-config --libs openblas 2>/dev/null || echo -lopenblas)
endif
ifeq ($(ONEDNN),1)
LDLIBS += -ldnnl -fopenmp
endif
MPI_CFLAGS = $(shell $(MPICC) -showme:compile 2>/dev/null || $(MPICC) -compile_info 2>/dev/null | tr ' ' '\n' | grep '^-[ID]')
MPI_LIBS = $(shell $(MPICC) -showme:link 2>/dev/null || $(MPICC) -link_info 2>/dev/null | tr ' ' '\n' | grep '^-[lLW]')
ifeq ($(MPI),1)
COMMON += -DDLB_MPI
OURS   += -DDLB_MPI $(if $(filter 1,$(NCCL)),-DDLB_NCCL) $(call as_system,$(MPI_CFLAGS))
LDLIBS += $(MPI_LIBS)
endif
ifeq ($(OPENCV),1)
OPENCV_CFLAGS := $(shell pkg-config --cflags opencv4)
LDLIBS += -lopencv_highgui -lopencv_videoio -lopencv_imgcodecs -lopencv_imgproc -lopencv_core -lstdc++
endif
ifeq ($(GPU),1)
HOST_OBJECTS += $(HOST_CUDA:%=$(BUILD)/host/%.o)
DLB_OBJECTS += $(DLB_CUDA:%=$(BUILD)/dlb_layer/%.o)
# The driver's library is not linked: CUDA's runtime opens it when it is needed, so that the program
# is built, and runs with -nogpu, where there is no driver.
LDLIBS += -L$(CUDA)/lib64 -Wl,-rpath,$(CUDA)/lib64 -lcudart -lcublas -lcurand -lstdc++
LDLIBS += $(if $(filter 1,$(CUDNN)),-lcudnn) $(if $(filter 1,$(NCCL)),-lnccl)
endif

# V=1 shows the commands.
ifneq ($(V),1)
SAY_CC   = @echo '  CC   $@';
SAY_CXX  = @echo '  CXX  $@';
SAY_NVCC = @echo '  NVCC $@';
SAY_AR   = @echo '  AR   $@';
endif

# ---- programs ----

.PHONY: all mpi-compiler emulated-cuda demo test bench bench-cpu bench-growth bench-loader bench-scaling bench-shards gpu-check soak help clean distclean host host-reset refresh-patch \
	install-packages build-tests build-thread-tests build-bare-tests build-mpi-tests show-build run-step-cost lint valgrind run-valgrind fuzz run-fuzz \
	run-bench-cpu run-bench-host run-bench-blas run-bench-growth run-bench-loader run-bench-scaling FORCE
all: bin/darknet bin/libdarknet.so

# Names the configuration that bin/ holds, so that other flags link it anew.
build/current: FORCE
	@mkdir -p build bin
	@echo $(CONFIG) | cmp -s - $@ || echo $(CONFIG) > $@

# Renamed into place, so that a training that runs from bin/ goes on undisturbed.
bin/%: $(BUILD)/% build/current
	@cp $< $@.new
	@mv $@.new $@

$(BUILD)/darknet: $(PROGRAM_OBJECTS) $(BUILD)/libdarknet.a
	$(SAY_CC)$(CC) $(OPTS) $(LDFLAGS) $(PROGRAM_OBJECTS) $(BUILD)/libdarknet.a -o $@ $(LDLIBS) $(COMMAND_LIBS)
$(BUILD)/libdarknet.so: $(HOST_OBJECTS) $(DLB_OBJECTS)
	$(SAY_CC)$(CC) $(LDFLAGS) -shared $^ -o $@ $(LDLIBS)
$(BUILD)/libdarknet.a: $(HOST_OBJECTS) $(DLB_OBJECTS)
	@rm -f $@
	$(SAY_AR)$(AR) rcs $@ $^

$(BUILD)/host/%.o: $(HOST)/src/%.c
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(COMMON) $(HOST_CFLAGS) $(HOST_ALLOC) -c $< -o $@
$(BUILD)/host/%.o: $(HOST)/src/%.cpp
	@mkdir -p $(@D)
	$(SAY_CXX)$(CXX) $(COMMON) $(OPENCV_CFLAGS) $(HOST_CFLAGS) -c $< -o $@
$(BUILD)/host/%.o: $(HOST)/src/%.cu
	@mkdir -p $(@D)
	$(SAY_NVCC)$(NVCC) $(ARCH) $(DEFINES) $(INCLUDES) -MMD -MP --compiler-options "$(HOST_CFLAGS) -fPIC" -c $< -o $@
$(BUILD)/program/%.o: $(HOST)/examples/%.c
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(COMMON) $(HOST_CFLAGS) $(HOST_ALLOC) -c $< -o $@
$(BUILD)/dlb_layer/%.o: dlb_layer/%.c | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) $(DLB_CFLAGS) -c $< -o $@
$(BUILD)/dlb_layer/dlb_cost_layer.o $(BUILD)/dlb_layer/nesterov.o $(BUILD)/dlb_layer/finite_values.o \
$(BUILD)/dlb_layer/compute_threads.o: DLB_CFLAGS += $(LOSS_CFLAGS)
ifeq ($(MPI),1)
$(BUILD)/dlb_layer/rank_device.o: DLB_CFLAGS += -DDLB_MPIRUN='"$(MPIRUN)"'
endif
$(MPI_FILES:%=$(BUILD)/dlb_layer/%.o): | mpi-compiler
mpi-compiler:
	@command -v $(MPICC) >/dev/null || { echo 'MPI=1 needs $(MPICC), which is not there: make install-packages MPI=1,' \
		'or MPICC=PATH' >&2; exit 1; }
$(BUILD)/dlb_layer/%.o: dlb_layer/%.cpp | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CXX)$(CXX) $(OURS) $(call as_system,$(OPENCV_CFLAGS)) $(DLB_WARN) $(DLB_OPTS) -c $< -o $@
$(BUILD)/dlb_layer/%.o: dlb_layer/%.cu | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_NVCC)$(NVCC) $(ARCH) $(OURS_CUDA) -Werror all-warnings \
		--compiler-options "$(DLB_WARN) $(DLB_OPTS) -fopenmp-simd -fPIC" -c $< -o $@
# A row rendered on the GPU is the CPU's: neither compiler may fuse products and sums, as GCC does by default where the
# processor can.
$(BUILD)/dlb_layer/render_kernels.o: OURS_CUDA += --fmad=false
$(BUILD)/dlb_layer/augment.o $(BUILD)/dlb_layer/normalise.o $(BUILD)/dlb_layer/mix_rows.o \
$(BUILD)/tests/test_drawn_rows: private DLB_CFLAGS += -ffp-contract=off
$(BUILD)/onednn/%.o: onednn/%.c | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) $(BACKEND_CFLAGS) -c $< -o $@
$(BUILD)/commands/%.o: commands/%.c | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) $(DLB_CFLAGS) -DDLB_VERSION='"$(VERSION)"' -DDLB_BUILD='"$(CONFIG:build-%=%)"' -c $< -o $@
$(BUILD)/commands/%.o: commands/%.cpp | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CXX)$(CXX) $(OURS) $(call as_system,$(OPENCV_CFLAGS)) $(DLB_WARN) $(DLB_OPTS) -c $< -o $@

host: $(HOST_STAMP)
$(HOST_STAMP): $(PATCHES) darknet/host.lock darknet/host.sha256 darknet/fetch.sh darknet/apply_patches.sh \
		$(if $(DARKNET_SRC),FORCE)
	@DARKNET_SRC='$(DARKNET_SRC)' darknet/fetch.sh
	@darknet/apply_patches.sh
	@touch $@
# Applying the patches keeps the time stamps of what they leave alone.
HOST_FILES := $(HOST_LIBRARY:%=$(HOST)/src/%.c) $(HOST)/src/image_opencv.cpp $(HOST_CUDA:%=$(HOST)/src/%.cu) \
	$(HOST_PROGRAM:%=$(HOST)/examples/%.c)
$(sort $(HOST_FILES) $(wildcard $(HOST)/include/*.h $(HOST)/src/*.h)): $(HOST_STAMP)
	@test -e $@

host-reset:
	darknet/apply_patches.sh --discard-edits
refresh-patch:
	@test -n '$(PATCH)' || { echo 'say which: make refresh-patch PATCH=0005' >&2; exit 1; }
	darknet/refresh_patch.sh $(PATCH)

# ---- packages ----

PACKAGES := gcc g++ libc6-dev pkg-config patch xz-utils ca-certificates libopencv-dev libopenblas-dev zlib1g-dev \
	libpng-dev libarchive-dev libcsv-dev libboost-dev gnuplot-nox dataset-fashion-mnist $(if $(filter file,$(origin ONEDNN)),libdnnl-dev,$(if $(filter 1,$(ONEDNN)),libdnnl-dev)) \
	$(if $(filter 1,$(MPI)),libopenmpi-dev openmpi-bin)
install-packages:
	@darknet/install_packages.sh $(PACKAGES)

# ---- demo ----

demo: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@DARKNET=bin/darknet bench/demo.sh

# ---- tests ----

# `make test` alone runs everything; `make test ONLY=loader` what has "loader" in its name.

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
THREAD_TESTS := test_worker_threads test_overlap_loader test_image_decode test_dlb_cost_kernels test_half test_layer_ends test_fused_batchnorm test_drawn_rows
build-thread-tests: $(THREAD_TESTS:%=$(BUILD)/tests/%) $(BUILD)/darknet
build-bare-tests: $(BUILD)/tests/test_image_decode $(BUILD)/tests/test_dlb_cost_layer $(BUILD)/tests/test_paper_networks \
		$(BUILD)/darknet
build-mpi-tests: $(BUILD)/darknet
show-build:
	@echo $(BUILD)
ON_THE_CPU := $(if $(filter 1,$(GPU)),-include tests/unit/on_the_cpu.h)
build-tests: $(UNIT_TESTS:%=$(BUILD)/tests/%) $(BUILD)/tests/compare_weights $(BUILD)/darknet \
		$(if $(findstring address,$(SANITIZE)),$(BUILD)/fuzz/replay)
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libdarknet.a $(COMMANDS:%=$(BUILD)/commands/%.o)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) -Itests/unit $(ON_THE_CPU) $(DLB_CFLAGS) $(LDFLAGS) $< $(filter-out %/dlb_command.o,$(filter %.o,$^)) \
		$(BUILD)/libdarknet.a -o $@ -lcmocka $(LDLIBS) $(COMMAND_LIBS)
# As for a GPU, whatever the build, and without the library, whose places of a GPU it takes: see the file. Not for
# ranks: NCCL's header needs CUDA's own.
$(BUILD)/tests/test_half_passes $(BUILD)/tests/test_layer_end_passes: $(BUILD)/tests/%: tests/unit/%.c $(BUILD)/dlb_layer/fail.o
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) -DGPU -DCUDNN -I$(EMULATION)/include $(filter-out -DDLB_MPI -DDLB_NCCL,$(OURS)) -Itests/unit $(DLB_CFLAGS) $(LDFLAGS) \
		$< $(BUILD)/dlb_layer/fail.o -o $@ -lcmocka $(LDLIBS)
$(BUILD)/tests/compare_weights: tests/trajectory/compare_weights.c
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(DLB_CFLAGS) $(LDFLAGS) $< -o $@ -lm

# A CUDA toolkit whose device is the CPU, for tests: make emulated-cuda, and then GPU=1 CUDA=$PWD/build/emulated_cuda
EMULATION := tests/emulated_cuda
EMULATED_CUDA := build/emulated_cuda
emulated_library = $(SAY_CC)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(DLB_WARN) -U_FORTIFY_SOURCE -fopenmp-simd -fPIC -shared \
	-I$(EMULATION)/include -Idlb_layer $(filter %.c,$^) -o $@
EMULATION_HEADERS := $(wildcard $(EMULATION)/*.h $(EMULATION)/include/*.h) dlb_layer/half_float.h
EMULATED_LIBRARIES := cudart cublas curand cudnn $(if $(shell command -v $(MPICC)),nccl)
emulated-cuda: $(EMULATED_LIBRARIES:%=$(EMULATED_CUDA)/lib64/lib%.so) $(EMULATED_CUDA)/include/cuda_runtime.h \
		$(EMULATED_CUDA)/bin/nvcc $(EMULATED_CUDA)/bin/nvidia-smi
$(EMULATED_CUDA)/lib64/libcudart.so: $(patsubst %,$(EMULATION)/%.c,device counts memory copies streams kernels) $(EMULATION_HEADERS)
	@mkdir -p $(@D)
	$(emulated_library)
$(EMULATED_CUDA)/lib64/libcublas.so: $(EMULATION)/blas.c $(EMULATION_HEADERS) $(EMULATED_CUDA)/lib64/libcudart.so
	$(emulated_library) -L$(@D) -lcudart -lopenblas
$(EMULATED_CUDA)/lib64/libcurand.so: $(EMULATION)/random.c $(EMULATION_HEADERS) $(EMULATED_CUDA)/lib64/libcudart.so
	$(emulated_library) -L$(@D) -lcudart
$(EMULATED_CUDA)/lib64/libcudnn.so: $(wildcard $(EMULATION)/dnn*.c) $(EMULATION_HEADERS) $(EMULATED_CUDA)/lib64/libcudart.so
	$(emulated_library) -L$(@D) -lcudart
$(EMULATED_CUDA)/lib64/libnccl.so: CC := $(MPICC)
$(EMULATED_CUDA)/lib64/libnccl.so: $(EMULATION)/nccl.c $(EMULATION_HEADERS) $(EMULATED_CUDA)/lib64/libcudart.so
	$(emulated_library) -L$(@D) -lcudart
$(EMULATED_CUDA)/include/cuda_runtime.h: $(EMULATION_HEADERS)
	@rm -rf $(@D) && mkdir -p $(EMULATED_CUDA) && cp -r $(EMULATION)/include $(EMULATED_CUDA)
$(EMULATED_CUDA)/bin/%: $(EMULATION)/%
	@mkdir -p $(@D)
	@cp $< $@
$(EMULATED_CUDA)/test_emulation: $(EMULATION)/test_emulation.cu emulated-cuda
	$(SAY_NVCC)$(EMULATED_CUDA)/bin/nvcc -Werror all-warnings --compiler-options "-O1 -g -Wall -Wextra" -c $< -o $@.o
	$(SAY_CXX)$(CXX) $@.o -o $@ -L$(EMULATED_CUDA)/lib64 -Wl,-rpath,'$$ORIGIN/lib64' -lcudart

$(EMULATED_CUDA)/test_nccl: $(EMULATION)/test_nccl.c emulated-cuda
	$(SAY_CC)$(MPICC) -std=c11 -D_GNU_SOURCE -O1 -g $(DLB_WARN) -I$(EMULATION)/include $< -o $@ \
		-L$(EMULATED_CUDA)/lib64 -Wl,-rpath,'$$ORIGIN/lib64' -lcudart -lnccl
# With the emulation and GPU=1 MPI=1.
$(BUILD)/tests/device_sums: tests/gpu/device_sums.c $(BUILD)/libdarknet.a
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) $(DLB_CFLAGS) $(LDFLAGS) $< $(BUILD)/libdarknet.a -o $@ $(LDLIBS) $(COMMAND_LIBS)

test: install-packages
	@darknet/install_packages.sh libcmocka-dev libopenmpi-dev openmpi-bin
	@tests/run.sh '$(ONLY)'

# ---- static checks ----

lint: $(HOST_STAMP)
	@darknet/install_packages.sh clang-format clang-tidy cppcheck shellcheck libopenmpi-dev openmpi-bin
	@tests/lint.sh -std=gnu11 $(filter-out -fPIC -MD -MP,$(OURS)) $(call as_system,$(OPENCV_CFLAGS)) -Itests/fuzz \
		-DDLB_MPI $(call as_system,$(MPI_CFLAGS)) \
		-fopenmp-simd -DDLB_VERSION='"$(VERSION)"' -DDLB_BUILD='"$(CONFIG:build-%=%)"'

# ---- valgrind ----

# Without oneDNN, whose code is made at run time, and without instructions that valgrind does not know.
VALGRIND_FLAGS := PORTABLE=1 ONEDNN=0 OPENBLAS=0 OPENCV=0
valgrind: install-packages
	@darknet/install_packages.sh libcmocka-dev valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) $(VALGRIND_FLAGS) run-valgrind
run-valgrind: $(UNIT_TESTS:%=$(BUILD)/tests/%)
	@tests/valgrind.sh $(BUILD)/tests '$(ONLY)'

# ---- fuzzing ----

# `make fuzz` runs every target for SECONDS with libFuzzer; `make test` replays their seeds and what once
# crashed them. run_resources.c says why the linker sends these calls to it.
SECONDS := 10
FUZZ_COVERAGE := -fprofile-instr-generate -fcoverage-mapping
FUZZ_FLAGS := CC='clang $(FUZZ_COVERAGE)' CXX='clang++ $(FUZZ_COVERAGE)' SANITIZE=fuzzer-no-link,address,undefined OPENCV=0 ONEDNN=0 OPENBLAS=0 DLB_WARN=-w
FUZZ_WRAPS := exit _exit malloc calloc realloc free strdup realpath getline fopen fclose open_memstream opendir closedir \
	fts_open fts_close gzopen gzclose_r archive_read_new archive_read_free
FUZZ_OBJECTS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%.o,tests/fuzz/fuzz_target.c tests/fuzz/run_files.c \
	tests/fuzz/run_resources.c $(wildcard tests/fuzz/targets/*.c))
fuzz: install-packages
	@darknet/install_packages.sh clang libclang-rt-14-dev llvm
	@$(MAKE) --no-print-directory -j$$(nproc) $(FUZZ_FLAGS) run-fuzz
run-fuzz: $(BUILD)/fuzz/libfuzzer
	@tests/fuzz/fuzz.sh $< $(SECONDS) '$(ONLY)'
.PRECIOUS: $(BUILD)/fuzz/%.o
$(BUILD)/fuzz/%.o: tests/fuzz/%.c | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) -Itests/fuzz $(DLB_CFLAGS) -c $< -o $@
$(BUILD)/fuzz/libfuzzer: LDFLAGS += -fsanitize=fuzzer
$(BUILD)/fuzz/libfuzzer $(BUILD)/fuzz/replay: $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(FUZZ_OBJECTS) \
		$(filter-out %/dlb_command.o,$(COMMANDS:%=$(BUILD)/commands/%.o)) $(BUILD)/libdarknet.a
	$(SAY_CXX)$(CXX) $(LDFLAGS) $(FUZZ_WRAPS:%=-Wl,--wrap=%) $(filter %.o,$^) $(BUILD)/libdarknet.a -o $@ \
		$(LDLIBS) $(COMMAND_LIBS)

# ---- bench ----

# What a step costs with and without [dlb_cost], then the table beside PyTorch.
bench: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all run-step-cost
	@$(MAKE) --no-print-directory run-bench-cpu
run-step-cost: $(BUILD)/bench/step_cost
	@$<
bench-cpu: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(MAKE) --no-print-directory run-bench-cpu
# PYTHON names an interpreter that has PyTorch, ROUNDS how often. Darknet's own layers, as shipped
# and with OpenBLAS, are builds of their own, made one after the other.
run-bench-cpu:
	@$(MAKE) --no-print-directory -j$$(nproc) run-bench-host ONEDNN=0 OPENBLAS=0 OPENMP=1
run-bench-host: $(BUILD)/darknet
	@HOST_DARKNET=$(CURDIR)/$< $(MAKE) --no-print-directory run-bench-blas ONEDNN=0 OPENBLAS=1 OPENMP=0
run-bench-blas: $(BUILD)/darknet
	@BLAS_DARKNET=$(CURDIR)/$< bench/cpu_vs_pytorch.py
# How time and memory grow with batch, subdivisions, classes and the list.
bench-growth: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all run-bench-growth
run-bench-growth: $(BUILD)/bench/step_times $(BUILD)/bench/step_memory bin/darknet
	@bench/growth.py $(<D)
# The loader beside torchvision's.
bench-loader: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all run-bench-loader
run-bench-loader: $(BUILD)/bench/loader_speed $(BUILD)/bench/step_times bin/darknet
	@bench/loader.py $(<D)
# Several ranks: what sums of gradients cost here, and a prediction for clusters.
bench-scaling: install-packages
	@darknet/install_packages.sh libopenmpi-dev openmpi-bin
	@$(MAKE) --no-print-directory -j$$(nproc) MPI=1 run-bench-scaling
run-bench-scaling: $(BUILD)/bench/layer_times $(BUILD)/bench/rank_sums
	@bench/scaling.py $(BUILD)
bench-shards: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@bench/shards.py

# On a machine with a GPU, without network: see the script.
gpu-check:
	@bench/gpu_check.sh '$(TIME)'
.PRECIOUS: $(BUILD)/bench/%.o
$(BUILD)/bench/%.o: bench/%.c | $(HOST_STAMP)
	@mkdir -p $(@D)
	$(SAY_CC)$(CC) $(OURS) $(DLB_CFLAGS) -c $< -o $@
$(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/bench/timed_steps.o $(BUILD)/libdarknet.a
	$(SAY_CC)$(CC) $(LDFLAGS) $(filter %.o %.a,$^) -o $@ $(LDLIBS)

# A long training's memory and open files.
soak: install-packages
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@DARKNET=bin/darknet bench/soak.sh

# ---- the rest ----

help:
	@echo 'make                 bin/darknet and bin/libdarknet.so'
	@echo 'make demo            train and compare on Fashion-MNIST, from a bare machine'
	@echo 'make test            all tests, from a bare machine'
	@echo 'make lint            clang-format, shellcheck, cppcheck, clang-tidy over our own files'
	@echo 'make valgrind        the unit tests under valgrind'
	@echo 'make fuzz SECONDS=60    every reader of files fed with any bytes by libFuzzer, so long each'
	@echo 'make bench           what a step with [dlb_cost] costs; training on the CPU beside PyTorch'
	@echo 'make bench-cpu       the second half of make bench alone'
	@echo 'make bench-growth    cost by batch, subdivisions, classes, length of the list'
	@echo 'make bench-loader    loading images beside torchvision'
	@echo 'make bench-scaling   training on several ranks, measured here and predicted for clusters'
	@echo 'make bench-shards    what shards= costs on one rank'
	@echo 'make gpu-check TIME=SECONDS   with a GPU: tests, sanitizers, speed, trainings; bench/gpu_check.sh says what it needs'
	@echo 'make soak            20,000 iterations: memory and open files stay as they are'
	@echo 'make install-packages   what all of these need (Debian, Ubuntu)'
	@echo 'make refresh-patch PATCH=0005   put edits of darknet/host into a patch'
	@echo 'make host-reset      throw edits of darknet/host away'
	@echo 'make clean           remove what was built; distclean: the host and the data sets too'
clean:
	rm -rf build bin
distclean: clean
	rm -rf darknet/cache darknet/pristine darknet/host darknet/.series data

FORCE:
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
