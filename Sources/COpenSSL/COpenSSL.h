// OpenSSL, and functions for what it offers as macros, which Swift cannot call.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

/// Nothing older than TLS 1.2. Returns 1 on success.
static inline int copenssl_require_tls12(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/// Idle connections give back their buffers of 34 KB.
static inline void copenssl_release_idle_buffers(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

/// No renegotiation (a write would have to wait for a read), no compression (CRIME).
static inline void copenssl_refuse_renegotiation(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

/// The name the client asks for in its first message (SNI). Returns 1 on success.
static inline int copenssl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

/// Names of protocols as ALPN sends them: each behind its length in a byte.
struct copenssl_protocols {
    unsigned int length;
    unsigned char bytes[];
};

static inline int copenssl_select_protocol(SSL *session, const unsigned char **out, unsigned char *out_length,
                                           const unsigned char *offered, unsigned int offered_length,
                                           void *argument) {
    const struct copenssl_protocols *ours = (const struct copenssl_protocols *)argument;
    (void)session;
    // It takes no const, and points into one of the two lists, which it does not change.
    if (SSL_select_next_proto((unsigned char **)(void *)out, out_length, ours->bytes, ours->length, offered,
                              offered_length) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL; // no_application_protocol: RFC 7301, 3.2
}

/// For servers: takes the first of these that the client offers, and refuses clients that offer others only. Returns
/// what the context needs for as long as it lives, for free(3); NULL without memory.
static inline struct copenssl_protocols *copenssl_accept_protocols(SSL_CTX *context, const unsigned char *bytes,
                                                                   unsigned int length) {
    struct copenssl_protocols *protocols = (struct copenssl_protocols *)malloc(sizeof *protocols + length);
    if (protocols == NULL)
        return NULL;
    protocols->length = length;
    memcpy(protocols->bytes, bytes, length);
    SSL_CTX_set_alpn_select_cb(context, copenssl_select_protocol, protocols);
    return protocols;
}
