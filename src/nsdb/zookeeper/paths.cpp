#include "nsdb/zookeeper/paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "nsdb/layout.h"

namespace midonet::nsdb::zookeeper {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr char kRecord = '=';
constexpr char kEscape = '~';
constexpr std::uint64_t kBuckets = 4096;
constexpr std::size_t kShardLength = 2;

/// ZooKeeper takes no control characters and wants UTF-8; '.' must not stand alone.
bool mayStand(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && c != kEscape && c != '/';
}

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (mayStand(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += kEscape;
        out += kHex[byte >> 4];
        out += kHex[byte & 0xf];
    }
    return out;
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != kEscape || i + 2 >= text.size()) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(kHex.find(text[i + 1]) * 16 + kHex.find(text[i + 2]));
        i += 2;
    }
    return out;
}

}  // namespace

Result<std::string> Paths::parseRoot(std::string_view text) {
    const auto invalid = [&](std::string_view why) { return fail(ErrorCode::Invalid, "'{}' {}; write a path like /midonet", text, why); };
    if (!text.starts_with('/') || text.size() < 2) return invalid("is no absolute path");
    if (text.ends_with('/')) return invalid("ends with '/'");
    if (text == "/zookeeper" || text.starts_with("/zookeeper/")) return invalid("belongs to ZooKeeper itself");
    for (auto rest = text; !rest.empty();) {
        rest.remove_prefix(1);
        const auto part = rest.substr(0, rest.find('/'));
        if (part.empty() || part == "." || part == ".." || !std::all_of(part.begin(), part.end(), mayStand))
            return invalid("has a part that ZooKeeper does not take");
        rest.remove_prefix(part.size());
    }
    return std::string(text);
}

std::string Paths::directory(std::string_view directory) const {
    auto out = root_;
    while (!directory.empty()) {
        const auto slash = std::min(directory.find('/'), directory.size());
        out += '/';
        out += escape(directory.substr(0, slash));
        directory.remove_prefix(std::min(slash + 1, directory.size()));
    }
    return out;
}

std::string Paths::parent(const RecordKey& key) const {
    auto out = directory(key.directory);
    if (isSharded(key.directory)) out += '/' + escape(key.name.substr(0, kShardLength));
    return out;
}

std::string Paths::record(const RecordKey& key) const { return parent(key) + '/' + kRecord + escape(key.name); }

std::string Paths::recordBucket(const RecordKey& key) const { return bucket(hashOf(key.name, hashOf(key.directory, 1))); }

std::string Paths::directoryBucket(std::string_view directory) const { return bucket(hashOf(directory, 2)); }

std::string Paths::bucket(std::uint64_t hash) const { return fmt::format("{}/{:03x}", buckets(), hash % kBuckets); }

bool Paths::isSharded(std::string_view directory) { return directory.starts_with("o/"); }

std::optional<std::string> Paths::recordName(std::string_view znode) {
    if (!znode.starts_with(kRecord)) return std::nullopt;
    return unescape(znode.substr(1));
}

std::string Paths::directoryName(std::string_view znode) { return unescape(znode); }

bool Paths::isLasting(std::string_view folder) const {
    const auto below = folder.substr(root_.size());
    return std::count(below.begin(), below.end(), '/') <= 2 || below.starts_with("/o/");
}

std::string Paths::parentOf(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

}  // namespace midonet::nsdb::zookeeper
