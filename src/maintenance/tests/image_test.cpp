#include "maintenance/image.h"

#include "cloud.h"
#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using nsdb::Record;
using nsdb::Revision;

constexpr std::string_view kObjects[] = {"o"};

/// A backend whose snapshots are of no one moment: each list sees the newest, and others write between two of them.
class Unsteady final : public nsdb::Backend {
public:
    Unsteady(nsdb::Backend& inner, std::function<void()> between) : inner_(inner), between_(std::move(between)) {}

    bool readsBlock() const override { return true; }
    bool isolated() const override { return false; }
    Result<std::unique_ptr<nsdb::Snapshot>> snapshot() override { return std::make_unique<Newest>(*this); }
    Result<Revision> commit(nsdb::Batch batch) override { return inner_.commit(std::move(batch)); }
    Result<nsdb::LogPart> changesSince(std::optional<Revision> since) override { return inner_.changesSince(since); }
    event::HandlePtr watchRecord(event::Loop&, nsdb::RecordKey, RecordCallback) override { return nullptr; }
    event::HandlePtr watchDirectory(event::Loop&, std::string, DirectoryCallback) override { return nullptr; }
    std::unique_ptr<nsdb::Lease> openLease(event::Loop&, const Uuid&, const nsdb::SessionOptions&, LeaseCallback) override { return nullptr; }

private:
    class Newest final : public nsdb::Snapshot {
    public:
        explicit Newest(Unsteady& backend) : backend_(backend) {}
        Revision revision() const override { return 0; }
        Result<std::optional<Record>> get(std::string_view, std::string_view) override { return std::nullopt; }
        Result<Revision> list(std::string_view directory, const std::function<void(const Record&)>& visit) override {
            backend_.between_();
            TRY(now, backend_.inner_.snapshot());
            return now->list(directory, visit);
        }
        Result<void> listDirectories(std::string_view parent, const std::function<void(std::string_view)>& visit) override {
            TRY(now, backend_.inner_.snapshot());
            return now->listDirectories(parent, visit);
        }

    private:
        Unsteady& backend_;
    };

    nsdb::Backend& inner_;
    std::function<void()> between_;
};

TEST(Image, HoldsAllBelowTheRootsOnly) {
    Cloud cloud;
    cloud.write({"o/Ship", "a"}, "1");
    cloud.write({"o/Ship/deep/deeper", "b"}, "2");
    cloud.write({"oo/Ship", "c"}, "3");
    const auto image = *readImage(cloud.backend(), kObjects);
    EXPECT_EQ(image.directories.size(), 2U);
    ASSERT_NE(image.find({"o/Ship/deep/deeper", "b"}), nullptr);
    EXPECT_EQ(image.find({"o/Ship/deep/deeper", "b"})->value, "2");
    EXPECT_EQ(image.find({"o/Ship", "c"}), nullptr);
    EXPECT_GT(image.revision, 0U);
}

TEST(Image, IsOfOneMomentThoughSnapshotsAreNot) {
    Cloud cloud;
    const auto writeBoth = [&](const std::string& value) {
        cloud.write({"o/A", "pair"}, value);
        cloud.write({"o/B", "pair"}, value);
    };
    writeBoth("old");
    int lists = 0;
    Unsteady unsteady(cloud.backend(), [&] {
        if (++lists == 3) writeBoth("new");  // after o and o/A, before o/B
    });
    const auto image = readImage(unsteady, kObjects);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->find({"o/A", "pair"})->value, "new");
    EXPECT_EQ(image->find({"o/B", "pair"})->value, "new");
}

TEST(Image, OfAStoreThatNeverRestsIsGivenUp) {
    Cloud cloud;
    int round = 0;
    Unsteady unsteady(cloud.backend(), [&] { cloud.write({"o/A", "round"}, std::to_string(++round)); });
    EXPECT_EQ(readImage(unsteady, kObjects).error().code, ErrorCode::Stale);
}

}  // namespace
}  // namespace midonet::maintenance
