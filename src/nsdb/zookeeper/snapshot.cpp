#include "nsdb/zookeeper/snapshot.h"

#include <algorithm>
#include <set>
#include <utility>

#include "nsdb/zookeeper/leased_value.h"

namespace midonet::nsdb::zookeeper {
namespace {

using What = Client::Question::What;

}  // namespace

Result<std::vector<std::optional<Client::Found>>> ZookeeperSnapshot::read(std::vector<Client::Question> questions) {
    if (questions.empty()) return std::vector<std::optional<Client::Found>>{};
    const bool sync = std::exchange(syncFirst_, false);
    return sync ? client_->readSynced(std::move(questions)) : client_->read(std::move(questions));
}

Result<std::optional<Record>> ZookeeperSnapshot::get(std::string_view directory, std::string_view name) {
    lastName_ = name;
    const auto path = paths_.record({std::string(directory), lastName_});
    std::optional<Client::Found> found;
    if (auto ahead = ahead_.extract(path)) {
        found = std::move(ahead.mapped());
    } else {
        TRY(answers, read({{path, What::Value}}));
        found = std::move(answers.front());
    }
    if (!found) return std::nullopt;
    last_ = std::move(*found);
    return toRecord(lastName_, last_);
}

Result<void> ZookeeperSnapshot::readAhead(const std::vector<RecordKey>& keys) {
    std::vector<Client::Question> questions;
    for (const auto& key : keys) questions.push_back({paths_.record(key), What::Value});
    TRY(found, read(questions));
    for (std::size_t i = 0; i < questions.size(); ++i) ahead_.insert_or_assign(std::move(questions[i].path), std::move(found[i]));
    return {};
}

Record ZookeeperSnapshot::toRecord(std::string_view name, const Client::Found& found) {
    const auto version = static_cast<Revision>(found.stat.modified);
    client_->see(version);
    const auto [lease, value] = splitValue(found.stat, found.value);
    return {name, value, version, lease};
}

Result<Revision> ZookeeperSnapshot::list(std::string_view directory, const std::function<void(const Record&)>& visit) {
    return listBeginning(directory, {}, visit);
}

/// The version is read before the names: what comes or goes in between makes it too old, never too new.
Result<Revision> ZookeeperSnapshot::listBeginning(std::string_view directory, std::string_view begin,
                                                  const std::function<void(const Record&)>& visit) {
    TRY(bucket, read({{paths_.directoryBucket(directory), What::Stat}}));
    TRY(names, recordNames(directory));
    std::erase_if(names, [&](const std::string& name) { return !name.starts_with(begin); });
    std::vector<Client::Question> questions;
    for (const auto& name : names) questions.push_back({paths_.record({std::string(directory), name}), What::Value});
    TRY(found, read(questions));
    for (std::size_t i = 0; i < names.size(); ++i)
        if (found[i]) visit(toRecord(names[i], *found[i]));
    return bucket.front() ? static_cast<Revision>(bucket.front()->stat.modified) : Revision{0};
}

Result<std::vector<std::string>> ZookeeperSnapshot::recordNames(std::string_view directory) {
    std::vector<std::string> folders{paths_.directory(directory)};
    if (Paths::isSharded(directory)) {
        TRY(shards, childrenOf(folders));
        const auto folder = std::move(folders.front());
        folders.clear();
        for (const auto& shard : shards.front()) folders.push_back(folder + '/' + shard);
    }
    TRY(all, childrenOf(folders));
    std::vector<std::string> names;
    for (const auto& children : all)
        for (const auto& child : children)
            if (auto name = Paths::recordName(child)) names.push_back(std::move(*name));
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::vector<std::vector<std::string>>> ZookeeperSnapshot::childrenOf(const std::vector<std::string>& paths) {
    std::vector<Client::Question> questions;
    for (const auto& path : paths) questions.push_back({path, What::Children});
    TRY(found, read(questions));
    std::vector<std::vector<std::string>> out;
    for (auto& one : found) out.push_back(one ? std::move(one->children) : std::vector<std::string>{});
    return out;
}

Result<void> ZookeeperSnapshot::listDirectories(std::string_view parent, const std::function<void(std::string_view)>& visit) {
    const auto folder = paths_.directory(parent);
    TRY(children, childrenOf({folder}));
    std::set<std::string> names;
    for (const auto& child : children.front()) {
        if (Paths::recordName(child)) continue;
        TRY(holds, holdsRecords(folder + '/' + child));
        if (holds) names.insert(Paths::directoryName(child));
    }
    for (const auto& name : names) visit(name);
    return {};
}

Result<bool> ZookeeperSnapshot::holdsRecords(const std::string& path) {
    TRY(children, childrenOf({path}));
    for (const auto& child : children.front()) {
        if (Paths::recordName(child)) return true;
        TRY(below, holdsRecords(path + '/' + child));
        if (below) return true;
    }
    return false;
}

}  // namespace midonet::nsdb::zookeeper
