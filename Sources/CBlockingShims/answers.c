// Another fiber of the thread may ask while this one, with its answer in hand, is parked in connect(2) to the first address.
#include "answers.h"

typedef struct cbs_answers {
    struct {
        struct hostent entry;  ///< what was returned; points into `buffer`
        char *buffer;          ///< its storage, or NULL
    } kept[CBS_ANSWER_COUNT];
} cbs_answers;

static void release(void *locals) {
    cbs_answers *answers = locals;
    for (int kind = 0; kind < CBS_ANSWER_COUNT; kind++) {
        free(answers->kept[kind].buffer);
    }
    free(answers);
}

struct hostent *cbs_keep_answer(enum cbs_answer kind, const struct hostent *entry, char *buffer) {
    cf_fiber *fiber = cf_fiber_current();
    cbs_answers *answers = fiber->locals;
    if (answers == NULL) {
        answers = calloc(1, sizeof *answers);
        if (answers == NULL) {
            free(buffer);
            h_errno = NETDB_INTERNAL;
            errno = ENOMEM;
            return NULL;
        }
        fiber->locals = answers;
        fiber->release_locals = release;
    }
    free(answers->kept[kind].buffer);
    answers->kept[kind].buffer = buffer;
    answers->kept[kind].entry = *entry;
    return &answers->kept[kind].entry;
}
