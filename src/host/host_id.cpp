#include "host/host_id.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/log.h"
#include "base/scope_guard.h"
#include "config/toml_file.h"

namespace midonet::host {
namespace {

const Logger kLog{"host"};
constexpr std::string_view kKey = "host_uuid";

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\f";
    const auto first = text.find_first_not_of(kBlank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// NotFound when there is no such file.
Result<HostId> readHostId(const std::string& path) {
    const auto text = config::readFile(path);
    if (!text) return Unexpected{text.error().withContext("host id file")};
    const auto id = parseHostId(*text);
    if (!id)
        return fail(ErrorCode::Malformed,
                    "host id file {}: {}; write host_uuid=<uuid> there, or remove the file to get a new id "
                    "(the host then counts as another one)",
                    path, id.error().message);
    return *id;
}

Unexpected cannotWrite(const std::string& path, int error) {
    return fail(ErrorCode::Unavailable,
                "host id file {} cannot be written: {}; run as root or set agent.host_id_file to a place that can be "
                "written and lasts",
                path, std::strerror(error));
}

Result<void> writeAll(int fd, const std::string& path, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return cannotWrite(path, errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) return cannotWrite(path, errno);
    return {};
}

void syncFolderOf(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

/// Written aside, then given its name if that is still free. AlreadyExists when it is not.
Result<void> writeHostId(const std::string& path, const HostId& id) {
    auto aside = path + ".XXXXXX";
    const int fd = ::mkstemp(aside.data());
    if (fd < 0) return cannotWrite(path, errno);
    const ScopeGuard cleanUp([&] {
        ::close(fd);
        ::unlink(aside.c_str());
    });
    ::fchmod(fd, 0644);
    TRY_VOID(writeAll(fd, path, fmt::format("# Names this host to MidoNet. Never copy it to another host.\n{}={}\n",
                                            kKey, id)));
    if (::link(aside.c_str(), path.c_str()) != 0) {
        if (errno == EEXIST) return fail(ErrorCode::AlreadyExists, "{} exists now", path);
        return cannotWrite(path, errno);
    }
    syncFolderOf(path);
    return {};
}

}  // namespace

config::Setting<std::string> declareHostIdFile(config::Settings& settings) {
    return settings
        .string("agent.host_id_file", std::string(kDefaultHostIdFile),
                "File with the id of this host (host_uuid=...); the agent makes it when it is absent.")
        .local();
}

Result<HostId> findHostId(const std::string& path) {
    auto id = readHostId(path);
    if (id || id.error().code != ErrorCode::NotFound || path != kDefaultHostIdFile) return id;
    return readHostId(std::string(kLegacyHostIdFile));
}

Result<HostId> loadHostId(const std::string& path) {
    const auto id = findHostId(path);
    if (id || id.error().code != ErrorCode::NotFound) return id;
    const auto fresh = HostId::random();
    const auto written = writeHostId(path, fresh);
    if (written) {
        kLog.info("host id made", {kv("host", fresh), kv("file", path)});
        return fresh;
    }
    if (written.error().code == ErrorCode::AlreadyExists) return readHostId(path);
    return Unexpected{written.error()};
}

// java.util.Properties, as far as one key needs it: '#' and '!' begin comments; '=', ':' or blanks separate.
Result<HostId> parseHostId(std::string_view text) {
    std::string_view found;
    bool present = false;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = trim(text.substr(0, end));
        text = end == text.npos ? std::string_view{} : text.substr(end + 1);
        if (line.empty() || line[0] == '#' || line[0] == '!') continue;
        const auto keyEnd = line.find_first_of("=: \t");
        if (line.substr(0, keyEnd) != kKey) continue;
        present = true;
        found = keyEnd == line.npos ? std::string_view{} : trim(line.substr(keyEnd));
        if (!found.empty() && (found[0] == '=' || found[0] == ':')) found = trim(found.substr(1));
    }
    if (!present) return fail(ErrorCode::Malformed, "it has no host_uuid");
    const auto uuid = Uuid::parse(found);
    if (!uuid || uuid->isNil()) return fail(ErrorCode::Malformed, "'{}' is not a valid host_uuid", found);
    return HostId{*uuid};
}

}  // namespace midonet::host
