#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "conf/catalogue.h"
#include "nsdb/store.h"

namespace midonet::conf {

/// A store in memory and the settings of a small program.
class Cloud : public testing::Test {
protected:
    static Holder named(const std::string& name) { return TemplateName{name}; }
    static config::Settings declared() {
        config::Settings settings;
        settings.choice("log.level", {"debug", "info", "warn"}, "info", "What is logged.").live();
        settings.integer("agent.workers", 1, {1, 16}, "Threads.");
        settings.boolean("agent.fast", false, "Be fast.");
        settings.string("agent.password", "", "Of the agent.").secret();
        settings.string("nsdb.path", "/var", "Folder.").local();
        return settings;
    }
    static std::string errorOf(const Result<void>& result) { return result ? "" : result.error().message; }

    const Catalogue catalogue_{declared()};
    std::shared_ptr<nsdb::SharedMemory> shared_ = nsdb::makeSharedMemory();
    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory(shared_);
    const Repository repository_{*store_};
    const HostId host_ = HostId::random();
    const HostId other_ = HostId::random();
};

}  // namespace midonet::conf
