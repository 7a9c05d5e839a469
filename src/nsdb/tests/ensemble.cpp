#include "ensemble.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "loopback.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;

std::uint16_t freePort() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto port = bindToFreePort(fd);
    EXPECT_NE(port, 0);
    ::close(fd);
    return port;
}

/// What a server answers to a word of four letters; "" when it does not.
std::string ask(std::uint16_t port, std::string_view word) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(port);
    const timeval patience{2, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string out;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        ::send(fd, word.data(), word.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(word.size())) {
        char bytes[4096];
        for (auto n = ::recv(fd, bytes, sizeof bytes, 0); n > 0; n = ::recv(fd, bytes, sizeof bytes, 0))
            out.append(bytes, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return out;
}

/// The child's end; ends with the test unless `outlives`.
pid_t spawn(std::vector<std::string> arguments, int input, const std::string& output, bool outlives) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t pid = ::fork();
    if (pid != 0) {
        ::close(log);
        return pid;
    }
    if (!outlives) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (outlives) ::setsid();
    ::dup2(input, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
}

}  // namespace

Ensemble::Ensemble(std::size_t servers) : folder_(testing::TempDir() + "zookeeper-XXXXXX"), servers_(servers) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    janitor_ = ends[1];
    spawn({"sh", "-c", "cat >/dev/null; kill -9 $(cat \"$0\"/*/pid) 2>/dev/null; rm -rf \"$0\"", folder_}, ends[0], "/dev/null", true);
    ::close(ends[0]);
    for (std::size_t i = 0; i < servers; ++i)
        servers_[i] = {fmt::format("{}/{}", folder_, i + 1), freePort(), freePort(), freePort(), -1};
    for (std::size_t i = 0; i < servers; ++i) writeConfig(i);
    for (std::size_t i = 0; i < servers; ++i) start(i);
    waitUntilServing();
}

Ensemble::~Ensemble() {
    for (std::size_t i = 0; i < servers_.size(); ++i)
        if (servers_[i].pid > 0) kill(i);
    ::close(janitor_);
}

Ensemble& Ensemble::single() {
    static Ensemble out(1);
    return out;
}

Ensemble& Ensemble::three() {
    static Ensemble out(3);
    return out;
}

void Ensemble::writeConfig(std::size_t server) const {
    const auto& own = servers_[server];
    std::filesystem::create_directories(own.folder + "/data");
    std::ofstream(own.folder + "/data/myid") << server + 1;
    std::ofstream config(own.folder + "/zoo.cfg");
    config << fmt::format(
        "tickTime=500\ninitLimit=20\nsyncLimit=10\ndataDir={}/data\nclientPort={}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\n"
        "minSessionTimeout=1000\nmaxSessionTimeout=60000\nadmin.enableServer=false\n4lw.commands.whitelist=*\n"
        "standaloneEnabled=true\n",
        own.folder, own.port);
    if (servers_.size() == 1) return;
    for (std::size_t i = 0; i < servers_.size(); ++i)
        config << fmt::format("server.{}=127.0.0.1:{}:{}\n", i + 1, servers_[i].quorumPort, servers_[i].electionPort);
}

void Ensemble::start(std::size_t server) {
    auto& own = servers_[server];
    own.pid = spawn({"java", "-Xms64m", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
                     "-Djava.net.preferIPv4Stack=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dzookeeper.forceSync=no",
                     "-Dzookeeper.fastleader.maxNotificationInterval=1000",
                     "-cp", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
                     "org.apache.zookeeper.server.quorum.QuorumPeerMain", own.folder + "/zoo.cfg"},
                    ::open("/dev/null", O_RDONLY | O_CLOEXEC), own.folder + "/log", false);
    std::ofstream(own.folder + "/pid") << own.pid;
}

std::string Ensemble::hosts() const {
    std::string out;
    for (const auto& server : servers_) out += fmt::format("{}127.0.0.1:{}", out.empty() ? "" : ",", server.port);
    return out;
}

std::string Ensemble::mode(std::size_t server) const {
    const auto text = ask(port(server), "srvr");
    constexpr std::string_view kMode = "Mode: ";
    const auto found = text.find(kMode);
    if (found == text.npos) return "";
    const auto begin = found + kMode.size();
    return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t Ensemble::leader() const {
    for (std::size_t i = 0; i < servers_.size(); ++i)
        if (servers_[i].pid > 0 && mode(i) == "leader") return i;
    return servers_.size();
}

void Ensemble::waitUntilServing() const {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        while (mode(i).empty()) {
            if (std::chrono::steady_clock::now() > deadline) {
                std::ifstream log(servers_[i].folder + "/log");
                FAIL() << "server " << i + 1 << " does not serve: " << std::string(std::istreambuf_iterator<char>(log), {});
            }
            std::this_thread::sleep_for(50ms);
        }
    }
}

void Ensemble::signal(std::size_t server, int number) { ::kill(servers_[server].pid, number); }

void Ensemble::kill(std::size_t server) {
    signal(server, SIGKILL);
    ::waitpid(servers_[server].pid, nullptr, 0);
    std::filesystem::remove(servers_[server].folder + "/pid");  // its number may be somebody else's from now on
    servers_[server].pid = -1;
}

}  // namespace midonet::nsdb
