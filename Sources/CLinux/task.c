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

extern __attribute__((swiftcall)) void swift_task_localValuePush(const void *key, void *value, const void *type);
extern __attribute__((swiftcall)) void swift_task_localValuePop(void);

void clinux_bind_task_local(const void *key, void *value, const void *type) {
    swift_task_localValuePush(key, value, type);
}

void clinux_unbind_task_local(void) { swift_task_localValuePop(); }

void clinux_remove_cancellation_handler(void *handler) { swift_task_removeCancellationHandler(handler); }
