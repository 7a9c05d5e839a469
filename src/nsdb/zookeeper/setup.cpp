#include "nsdb/zookeeper/setup.h"

#include <algorithm>
#include <charconv>

#include "nsdb/layout.h"
#include "nsdb/zookeeper/batch_writer.h"

namespace midonet::nsdb::zookeeper {
namespace {

using Kind = zk::Operation::Kind;
using What = Client::Question::What;

Error denied(const ZookeeperOptions& options) {
    return {ErrorCode::PermissionDenied,
            fmt::format("zookeeper.root = {}: it was made with other credentials; mend zookeeper.user and zookeeper.password",
                        options.root)};
}

Result<void> checkVersion(const std::string& text, const ZookeeperOptions& options) {
    std::uint64_t version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc{} || end != text.data() + text.size())
        return fail(ErrorCode::Malformed, "zookeeper.root = {}: what is there is not of this product; name another path", options.root);
    if (version <= kSchemaVersion) return {};
    return fail(ErrorCode::Unsupported,
                "zookeeper.root = {}: written by a newer program, with schema version {}; this one knows version {}: update this program",
                options.root, version, kSchemaVersion);
}

/// The root and all above it that are not there.
std::vector<zk::Operation> rootSteps(const Paths& paths, const std::vector<std::string>& ancestors,
                                     const std::vector<std::optional<Client::Found>>& found) {
    std::vector<zk::Operation> steps;
    for (std::size_t i = 0; i < ancestors.size(); ++i)
        if (!found[i]) steps.push_back({Kind::Create, ancestors[i], {}, zk::kAnyVersion});
    steps.push_back({Kind::Create, paths.buckets(), {}, zk::kAnyVersion});
    steps.push_back({Kind::Create, paths.markers(), {}, zk::kAnyVersion});
    steps.push_back({Kind::Create, paths.schema(), std::to_string(kSchemaVersion), zk::kAnyVersion});
    return steps;
}

Result<void> makeRoot(Client& client, const Paths& paths, const ZookeeperOptions& options) {
    std::vector<std::string> ancestors;
    for (auto path = paths.root(); !path.empty(); path = Paths::parentOf(path)) ancestors.insert(ancestors.begin(), path);
    std::vector<Client::Question> questions;
    for (const auto& path : ancestors) questions.push_back({path, What::Stat});
    TRY(found, client.read(questions));
    if (found.back() && found.back()->stat.children > 0)
        return fail(ErrorCode::Malformed, "zookeeper.root = {}: it holds something that is not of this product; name another path",
                    options.root);
    return client.check(rootSteps(paths, ancestors, found));
}

Result<void> findOrMakeRoot(Client& client, const Paths& paths, const ZookeeperOptions& options) {
    TRY_VOID(client.sync());
    // Several may make it at once: who loses reads what the winner made.
    for (int i = 0; i < kOvertakenAttempts; ++i) {
        const auto schema = client.read({{paths.schema(), What::Value}});
        if (!schema) return Unexpected{schema.error().code == ErrorCode::PermissionDenied ? denied(options) : schema.error()};
        if (schema->front()) return checkVersion(schema->front()->value, options);
        if (!options.create) return fail(ErrorCode::NotFound, "zookeeper.root = {}: there is no store", options.root);
        const auto made = makeRoot(client, paths, options);
        if (!made && made.error().code == ErrorCode::PermissionDenied) return Unexpected{denied(options)};
        if (!made && !wasOvertaken(made.error())) return made;
        TRY_VOID(client.sync());
    }
    return fail(ErrorCode::Stale, "zookeeper.root = {}: it cannot be made, others keep changing it", options.root);
}

}  // namespace

Result<void> setUp(Client& client, const Paths& paths, const ZookeeperOptions& options) {
    const auto deadline = std::chrono::steady_clock::now() + options.connectPatience;
    while (true) {
        const auto done = findOrMakeRoot(client, paths, options);
        if (done || done.error().code != ErrorCode::Unavailable) return done;
        if (std::chrono::steady_clock::now() < deadline) continue;
        return fail(ErrorCode::Unavailable,
                    "zookeeper.hosts = {}: no ZooKeeper server answers within {} s; are they running, do a majority of them see "
                    "each other, and is it their client port?",
                    options.hosts, std::chrono::duration_cast<std::chrono::seconds>(options.connectPatience).count());
    }
}

}  // namespace midonet::nsdb::zookeeper
