#pragma once

#include <gtest/gtest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace midonet::nsdb {

/// A process of child.cpp and what it says. Killed at the end if it still runs.
class Child {
public:
    template <class... Arguments>
    explicit Child(const Arguments&... arguments) {
        start({NSDB_CHILD, arguments...});
    }
    ~Child() {
        if (pid_ > 0) kill(SIGKILL);
        ::close(input_);
        ::close(output_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Its next line, waited for; "" at its end or the deadline.
    std::string line() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (true) {
            if (const auto end = said_.find('\n'); end != said_.npos) {
                auto out = said_.substr(0, end);
                said_.erase(0, end + 1);
                return out;
            }
            pollfd item{output_, POLLIN, 0};
            char bytes[4096];
            if (std::chrono::steady_clock::now() > deadline || ::poll(&item, 1, 30'000) != 1) return "";
            const auto length = ::read(output_, bytes, sizeof bytes);
            if (length <= 0) return "";
            said_.append(bytes, static_cast<std::size_t>(length));
        }
    }
    /// Reads on until it says this.
    bool says(const std::string& expected) {
        for (auto now = line(); !now.empty(); now = line())
            if (now == expected) return true;
        return false;
    }
    std::string lastLine() {
        std::string last;
        for (auto now = line(); !now.empty(); now = line()) last = now;
        return last;
    }
    void signal(int number) { ::kill(pid_, number); }
    /// Ends it and waits for it.
    void kill(int number) {
        signal(number);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

private:
    void start(std::vector<std::string> arguments) {
        int in[2];
        int out[2];
        ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
        ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(in[0], STDIN_FILENO);
            ::dup2(out[1], STDOUT_FILENO);
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        output_ = out[0];
    }

    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    std::string said_;
};

}  // namespace midonet::nsdb
