// The part of OpenSSL's libcrypto that Hashing uses: message digests through EVP, which picks the SHA instructions of the CPU.
#ifndef PPO_CHUNKED_COPENSSL_SHIM_H
#define PPO_CHUNKED_COPENSSL_SHIM_H

#if !__has_include(<openssl/evp.h>)
#error "openssl/evp.h not found: install OpenSSL's headers, on Debian and Ubuntu: apt-get install libssl-dev pkg-config"
#endif

#include <openssl/evp.h>

#endif
