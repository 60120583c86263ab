// SPDX-License-Identifier: Apache-2.0
//
// A shard's bytes from a web server: one file is read by many threads at a time.
#include <gtest/gtest.h>

extern "C" {
#include "loaders/shard/shard_file.h"
}

#include <arpa/inet.h>
#include <atomic>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

enum { BYTES = 100000, LARGEST = 40000 };

char byte_at(uint64_t i)
{
    return char(i * 2654435761u >> 13);
}

// Sends ranges of a made-up file to one connection after another.
class Server
{
  public:
    std::atomic<int> connections{0};

    Server() : listens_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in a = {};
        socklen_t n = sizeof a;
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(listens_, reinterpret_cast<sockaddr *>(&a), n), 0);
        EXPECT_EQ(listen(listens_, 64), 0);
        EXPECT_EQ(getsockname(listens_, reinterpret_cast<sockaddr *>(&a), &n), 0);
        url = "http://127.0.0.1:" + std::to_string(ntohs(a.sin_port)) + "/a.mrs";
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() // when nobody is connected any more
    {
        shutdown(listens_, SHUT_RDWR);
        thread_.join();
        close(listens_);
    }
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

    std::string url;

  private:
    static bool send_all(int fd, const std::string &text)
    {
        for (size_t done = 0; done < text.size();) {
            ssize_t n = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
            if (n <= 0)
                return false;
            done += size_t(n);
        }
        return true;
    }

    static bool answer(int fd, const std::string &request)
    {
        unsigned long long from = 0, to = 0;
        size_t range = request.find("Range: bytes=");
        if (range == std::string::npos ||
            sscanf(request.c_str() + range, "Range: bytes=%llu-%llu", &from, &to) != 2 ||
            to < from || to >= BYTES)
            return false;
        std::string text =
            "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(to - from + 1) +
            "\r\nContent-Range: bytes " + std::to_string(from) + "-" + std::to_string(to) + "/" +
            std::to_string(BYTES) + "\r\n\r\n";
        for (uint64_t i = from; i <= to; i++)
            text += byte_at(i);
        return send_all(fd, text);
    }

    static void converse(int fd)
    {
        std::string got;
        char some[4096];
        for (;;) {
            size_t end = got.find("\r\n\r\n");
            if (end != std::string::npos) {
                if (!answer(fd, got.substr(0, end + 4)))
                    return;
                got.erase(0, end + 4);
                continue;
            }
            ssize_t n = recv(fd, some, sizeof some, 0);
            if (n <= 0)
                return;
            got.append(some, size_t(n));
        }
    }

    void serve()
    {
        for (;;) {
            int one = 1, fd = accept4(listens_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0)
                return;
            connections++;
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            converse(fd);
            close(fd);
        }
    }

    int listens_;
    std::thread thread_;
};

// The answers that are not what was asked for.
int read_some(mr_shard_file *file, unsigned seed)
{
    std::mt19937 rng(seed);
    std::vector<char> to(LARGEST);
    int wrong = 0;
    for (int i = 0; i < 100 && !wrong; i++) {
        uint64_t n = 1 + rng() % (i % 4 ? 100 : LARGEST), at = rng() % (BYTES - n);
        mr_errbuf e = {};
        int rc = mr__shard_file_read(file, at, to.data(), n, &e);
        EXPECT_EQ(rc, MR_OK) << e.text;
        for (uint64_t k = 0; k < n && rc == MR_OK && !wrong; k++)
            wrong += to[k] != byte_at(at + k);
        wrong += rc != MR_OK;
    }
    return wrong;
}

} // namespace

TEST(HttpFile, ManyThreadsReadOne)
{
    Server server;
    mr_shard_file *file = nullptr;
    mr_errbuf e = {};
    ASSERT_EQ(mr__shard_file_open(&file, server.url.c_str(), &e), MR_OK) << e.text;
    EXPECT_EQ(file->bytes, uint64_t(BYTES));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 8; i++)
        threads.emplace_back([&, i] { wrong += read_some(file, i); });
    for (std::thread &t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(server.connections, 1) << "it stays open";
    mr__shard_file_close(file);
}
