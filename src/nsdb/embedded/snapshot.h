#pragma once

#include "nsdb/embedded/record_format.h"

namespace midonet::nsdb::embedded {

/// A read transaction as a Snapshot; the texts of its records lie in the memory map and are valid as
/// long as it is.
class EmbeddedSnapshot final : public Snapshot {
public:
    explicit EmbeddedSnapshot(ReadTransaction read) : read_(std::move(read)) {}

    Revision revision() const override { return readRevision(read_.txn(), read_.databases()); }
    Result<std::optional<Record>> get(std::string_view directory, std::string_view name) override {
        return readRecord(read_.txn(), read_.databases(), directory, name);
    }
    Result<Revision> list(std::string_view directory,
                          const std::function<void(const Record&)>& visit) override;
    Result<void> listDirectories(std::string_view parent,
                                 const std::function<void(std::string_view)>& visit) override;
    Result<std::optional<std::vector<Uuid>>> leases() override;

private:
    ReadTransaction read_;
};

}  // namespace midonet::nsdb::embedded
