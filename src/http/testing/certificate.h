#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace midonet::http::testing {

/// A folder of one test.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("midonet-" + Uuid::random().toString())) { std::filesystem::create_directory(path_); }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string file(std::string_view name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// Makes `NAME.pem` and `NAME.key` in the folder: a certificate that vouches for itself, in names as "IP:127.0.0.1".
inline void makeCertificate(const Folder& folder, std::string_view name = "server", std::string_view names = "IP:127.0.0.1,DNS:localhost") {
    const auto command = fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -addext "
                                     "subjectAltName={} -keyout {} -out {} 2>/dev/null",
                                     names, folder.file(fmt::format("{}.key", name)), folder.file(fmt::format("{}.pem", name)));
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace midonet::http::testing
