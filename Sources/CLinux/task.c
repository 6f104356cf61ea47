#include "CLinux.h"

typedef __attribute__((swiftcall)) void (*clinux_handler)(__attribute__((swift_context)) void *context);

extern __attribute__((swiftcall)) void *swift_task_addCancellationHandler(clinux_handler handler, void *context);
extern __attribute__((swiftcall)) void swift_task_removeCancellationHandler(void *record);

void (*clinux_on_cancel)(void *context) = NULL;

static __attribute__((swiftcall)) void cancelled(__attribute__((swift_context)) void *context) {
    clinux_on_cancel(context);
}

void *clinux_add_cancellation_handler(void *context) {
    return swift_task_addCancellationHandler(cancelled, context);
}

void clinux_remove_cancellation_handler(void *handler) { swift_task_removeCancellationHandler(handler); }
