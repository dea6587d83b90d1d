/* Streams, events and graphs. */
#include "emulation.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WAITING = 1 << 14, NOTHING = -1 };

/* A piece of work that has been put into a stream, by its number; numbers begin anew with an
 * epoch, when all is done. */
typedef struct {
    unsigned long epoch;
    int number;
} place;

typedef struct {
    work w;
    int *needs; /* (need_count): numbers of what has to be done before */
    int need_count;
    bool in_default_stream, is_needed, has_begun, is_done;
} waiting_work;

typedef struct {
    work *all;
    int count, room;
} work_list;

struct CUstream_st {
    bool blocks; /* it and the default stream wait for each other */
    place last;
    cudaGraph_t graph; /* that is captured, or NULL */
    bool is_spoiled;   /* the graph is, by a call that is not allowed */
};

struct CUevent_st {
    place recorded;
};

struct CUgraph_st {
    work_list works;
    bool is_instantiated;
};

struct CUgraphExec_st {
    work_list works;
};

static waiting_work waiting[MOST_WAITING];
static int waiting_count;
static unsigned long epoch = 1;

static struct CUstream_st default_stream = {.blocks = true};
static cudaStream_t *streams; /* (stream_count), without the default one */
static int stream_count;
static _Thread_local cudaStream_t captured; /* of this thread, or NULL */

/* ---- doing work ---- */

void drop_work(const work *w) {
    if (w->drop)
        w->drop(w->arguments);
    else
        free(w->arguments);
}

/* Whether EMULATED_PACE says so; see emulation.h. */
static bool pace_is(const char *pace) {
    const char *text = getenv("EMULATED_PACE");
    return text && !strcmp(text, pace);
}

static bool can_get_on(const waiting_work *each) {
    for (int i = 0; i < each->need_count; i++)
        if (!waiting[each->needs[i]].is_done)
            return false;
    return !each->is_done;
}

static void get_on(waiting_work *each, bool host_waits) {
    if (!each->has_begun && each->w.run)
        each->w.run(each->w.arguments);
    each->has_begun = true;
    if (each->w.is_done && !each->w.is_done(each->w.arguments, host_waits))
        return;
    drop_work(&each->w);
    each->is_done = true;
}

static void begin_epoch(void) {
    for (int i = 0; i < waiting_count; i++)
        free(waiting[i].needs);
    waiting_count = 0;
    epoch++;
}

/* What is needed for this work alone. It is put in before, so that one walk back finds it all. */
static void mark_needed(int number) {
    for (int i = 0; i < waiting_count; i++)
        waiting[i].is_needed = i == number;
    for (int i = number; i >= 0; i--)
        for (int k = 0; waiting[i].is_needed && !waiting[i].is_done && k < waiting[i].need_count;
             k++)
            waiting[waiting[i].needs[k]].is_needed = true;
}

/* Once through what is needed of the first `count`; returns whether all of that is done. */
static bool get_needed_on(int count) {
    bool all_done = true;
    for (int i = 0; i < count; i++) {
        waiting_work *each = &waiting[i];
        if (each->is_needed && can_get_on(each))
            get_on(each, true);
        all_done &= !each->is_needed || each->is_done;
    }
    return all_done;
}

static void close_device(void) {
    bool any_left = false;
    close_device_memory();
    for (int i = 0; i < waiting_count; i++)
        any_left |= !waiting[i].is_done;
    if (!any_left)
        begin_epoch();
}

/* Does all that is needed of the first `count`. */
static void do_needed(int count) {
    open_device_memory();
    while (!get_needed_on(count))
        sched_yield();
    close_device();
}

/* What can be done before it is waited for, as far as EMULATED_PACE wants it. */
static void do_early(void) {
    bool is_ahead = pace_is("ahead");
    if (!is_ahead && !pace_is("early"))
        return;
    open_device_memory();
    for (int i = 0; i < waiting_count; i++)
        if (can_get_on(&waiting[i]) && !(is_ahead && waiting[i].in_default_stream))
            get_on(&waiting[i], false);
    close_device();
}

/* Of what is needed of the first `count`: the first work that gets done, and whatever takes its
 * time. */
static void do_piece(int count) {
    bool is_slow = pace_is("slow"), any_done = false;
    open_device_memory();
    for (int i = 0; i < count && !any_done; i++) {
        waiting_work *each = &waiting[i];
        bool is_left = is_slow && each->w.run && !each->w.is_done;
        if (!each->is_needed || !can_get_on(each) || is_left)
            continue;
        get_on(each, false);
        any_done = each->is_done;
    }
    close_device();
}

static bool is_waiting(place at) {
    return at.epoch == epoch && at.number != NOTHING && !waiting[at.number].is_done;
}

static void do_until(place at) {
    if (!is_waiting(at))
        return;
    mark_needed(at.number);
    do_needed(at.number + 1);
}

static void do_all(void) {
    for (int i = 0; i < waiting_count; i++)
        waiting[i].is_needed = true;
    if (waiting_count)
        do_needed(waiting_count);
}

bool is_captured(cudaStream_t stream) {
    return stream && stream->graph;
}

cudaError_t refuse_in_capture(void) {
    if (!captured)
        return cudaSuccess;
    captured->is_spoiled = true;
    return cudaErrorStreamCaptureUnsupported;
}

cudaError_t do_all_work(void) {
    count_call(WAITS);
    cudaError_t status = refuse_in_capture();
    if (status == cudaSuccess)
        do_all();
    return status;
}

static cudaStream_t stream_of(cudaStream_t stream) {
    return stream ? stream : &default_stream;
}

cudaError_t do_work_of(cudaStream_t stream) {
    count_call(WAITS);
    cudaError_t status = refuse_in_capture();
    if (status == cudaSuccess)
        do_until(stream_of(stream)->last);
    return status;
}

/* ---- putting work ---- */

static void *grown(void *old, size_t bytes) {
    void *memory = realloc(old, bytes);
    if (!memory)
        emulation_abort("no memory is left");
    return memory;
}

static void need(waiting_work *each, place at) {
    if (!is_waiting(at))
        return;
    each->needs = grown(each->needs, (size_t)(each->need_count + 1) * sizeof *each->needs);
    each->needs[each->need_count++] = at.number;
}

static void need_blocking_streams(waiting_work *each) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->blocks)
            need(each, streams[i]->last);
}

static void append(cudaStream_t stream, work w, place also) {
    if (waiting_count == MOST_WAITING)
        do_all(); /* a device does not wait for ever either */
    waiting_work each = {.w = w, .in_default_stream = stream == &default_stream};
    need(&each, stream->last);
    need(&each, also);
    if (stream == &default_stream)
        need_blocking_streams(&each);
    else if (stream->blocks)
        need(&each, default_stream.last);
    stream->last = (place){epoch, waiting_count};
    waiting[waiting_count++] = each;
    do_early();
}

static void add_to_list(work_list *list, work w) {
    if (list->count == list->room) {
        list->room = 2 * list->room + 16;
        list->all = grown(list->all, (size_t)list->room * sizeof *list->all);
    }
    list->all[list->count++] = w;
}

/* The default stream would have to wait for a blocking one that is captured. */
static bool disturbs_a_capture(cudaStream_t stream) {
    bool disturbs = false;
    for (int i = 0; i < stream_count; i++)
        if (stream == &default_stream && streams[i]->blocks && streams[i]->graph)
            disturbs = streams[i]->is_spoiled = true;
    return disturbs;
}

static const place NO_PLACE = {0, NOTHING};

cudaError_t put_work(cudaStream_t stream, work w) {
    cudaStream_t s = stream_of(stream);
    if (disturbs_a_capture(s)) {
        drop_work(&w);
        return cudaErrorStreamCaptureImplicit;
    }
    if (s->graph && w.is_done) {
        s->is_spoiled = true;
        drop_work(&w);
        return cudaErrorStreamCaptureUnsupported;
    }
    if (s->graph)
        add_to_list(&s->graph->works, w);
    else
        append(s, w, NO_PLACE);
    return cudaSuccess;
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
    enter();
    *stream = grown(NULL, sizeof **stream);
    **stream = (struct CUstream_st){.blocks = flags != cudaStreamNonBlocking, .last = NO_PLACE};
    streams = grown(streams, (size_t)(stream_count + 1) * sizeof(cudaStream_t));
    streams[stream_count++] = *stream;
    return leave(cudaSuccess);
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    enter();
    cudaError_t status = do_all_work();
    for (int i = 0; status == cudaSuccess && i < stream_count; i++)
        if (streams[i] == stream) {
            streams[i] = streams[--stream_count];
            free(stream);
            return leave(cudaSuccess);
        }
    return leave(status == cudaSuccess ? cudaErrorInvalidResourceHandle : status);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    enter();
    return leave(do_work_of(stream));
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
    enter();
    (void)flags;
    *event = grown(NULL, sizeof **event);
    (*event)->recorded = NO_PLACE;
    return leave(cudaSuccess);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    enter();
    free(event);
    return leave(cudaSuccess);
}

/* Streams that are captured are not joined by events here. */
static cudaError_t put_in_order(cudaStream_t stream, place also) {
    if (stream->graph) {
        stream->is_spoiled = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    if (disturbs_a_capture(stream))
        return cudaErrorStreamCaptureImplicit;
    append(stream, (work){NULL}, also);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    enter();
    cudaStream_t s = stream_of(stream);
    cudaError_t status = put_in_order(s, NO_PLACE);
    if (status == cudaSuccess)
        event->recorded = s->last;
    return leave(status);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
    enter();
    (void)flags;
    return leave(put_in_order(stream_of(stream), event->recorded));
}

/* Who asks again and again gets on: each question does a piece of what the event needs. */
cudaError_t cudaEventQuery(cudaEvent_t event) {
    enter();
    cudaError_t status = refuse_in_capture();
    if (status != cudaSuccess || !is_waiting(event->recorded))
        return leave(status);
    mark_needed(event->recorded.number);
    do_piece(event->recorded.number + 1);
    return leave(is_waiting(event->recorded) ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    enter();
    cudaError_t status = refuse_in_capture();
    count_call(WAITS);
    if (status == cudaSuccess)
        do_until(event->recorded);
    return leave(status);
}

/* ---- graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
    enter();
    if (!stream || stream->graph || captured || mode != cudaStreamCaptureModeThreadLocal)
        return leave(cudaErrorStreamCaptureUnsupported);
    stream->graph = grown(NULL, sizeof *stream->graph);
    *stream->graph = (struct CUgraph_st){{NULL, 0, 0}, false};
    captured = stream;
    return leave(cudaSuccess);
}

static void drop_list(work_list *list) {
    for (int i = 0; i < list->count; i++)
        drop_work(&list->all[i]);
    free(list->all);
    *list = (work_list){NULL, 0, 0};
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
    enter();
    if (!stream || captured != stream)
        return leave(cudaErrorInvalidValue);
    *graph = stream->graph;
    stream->graph = NULL;
    captured = NULL;
    if (!stream->is_spoiled)
        return leave(cudaSuccess);
    stream->is_spoiled = false;
    drop_list(&(*graph)->works);
    free(*graph);
    *graph = NULL;
    return leave(cudaErrorStreamCaptureInvalidated);
}

/* The works go over to the executable graph. */
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph,
                                 unsigned long long flags) {
    enter();
    (void)flags;
    if (graph->is_instantiated)
        emulation_abort("a graph is instantiated twice, which CUDA allows and this does not");
    graph->is_instantiated = true;
    *executable = grown(NULL, sizeof **executable);
    (*executable)->works = graph->works;
    graph->works = (work_list){NULL, 0, 0};
    return leave(cudaSuccess);
}

static void run_graph(void *arguments) {
    const struct CUgraphExec_st *graph = arguments;
    for (int i = 0; i < graph->works.count; i++)
        graph->works.all[i].run(graph->works.all[i].arguments);
}

static void keep_graph(void *arguments) {
    (void)arguments; /* it may be launched again */
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
    enter();
    count_call(GRAPHS);
    return leave(put_work(stream, (work){run_graph, keep_graph, graph}));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    enter();
    drop_list(&graph->works);
    free(graph);
    return leave(cudaSuccess);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
    enter();
    cudaError_t status = do_all_work();
    if (status != cudaSuccess)
        return leave(status);
    drop_list(&graph->works);
    free(graph);
    return leave(cudaSuccess);
}
