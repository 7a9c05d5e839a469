#include "http/internal/server_tls.h"

#include <boost/asio/ssl.hpp>

namespace midonet::http::internal {

Result<ServerTls> loadServerTls(const TlsFiles& files) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    auto* const native = context->native_handle();
    ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    ::SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // A key with a pass phrase would ask for it on the terminal.
    error_code error;
    context->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string{}; }, error);
    context->use_certificate_chain_file(files.certificate, error);
    if (error) return fail(ErrorCode::Invalid, "cannot use the certificate {}: {}; it must be PEM", files.certificate, error.message());
    context->use_private_key_file(files.key, asio::ssl::context::pem, error);
    if (error) return fail(ErrorCode::Invalid, "cannot use the key {} with {}: {}; it must be PEM, without a pass phrase, and that of the certificate",
                           files.key, files.certificate, error.message());
    if (::SSL_CTX_check_private_key(native) != 1)
        return fail(ErrorCode::Invalid, "the key {} is not that of the certificate {}", files.key, files.certificate);
    return context;
}

}  // namespace midonet::http::internal
