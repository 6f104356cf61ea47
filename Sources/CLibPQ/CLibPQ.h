#pragma once

#include <libpq-fe.h>

// From libpq 17 on; NULL where it is older.
extern int PQsendPipelineSync(PGconn *conn) __attribute__((weak));

/// Ends a pipeline segment, if libpq can without a push to the socket.
static inline int clibpq_end_segment(PGconn *conn) {
    return PQsendPipelineSync != NULL ? PQsendPipelineSync(conn) : PQpipelineSync(conn);
}
