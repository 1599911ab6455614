/*
 * Stand-ins for the Windows and DataMiner programs that Wine lacks or only pretends to have.
 *
 * One program, copied under several names; it acts by the name it was started with. It shares no code with
 * the reconciler's driver or its simulator: it is the second opinion about what those programs do.
 *
 * Everything a test steers or reads lies under C:\standins:
 *   processes.csv   lines that tasklist prints besides the real processes
 *   services.txt    names of running services, one a line; any other service does not exist (1060)
 *   tasks\          one file per registered scheduled task: its command line
 *   hold            while this file exists, SLTaskbarUtility keeps running
 *   exitcode        what SLTaskbarUtility returns (0 when missing), decimal, 32 bits
 *   version         appended to VersionHistory.txt by SLTaskbarUtility, which then deletes it
 *   ping            milliseconds between two packets of ping (1000 when missing)
 *   utility.log     one line per start of SLTaskbarUtility: its command line
 *   msi-exitcode    what msiexec returns, decimal; it works all the same for 3010 and does nothing for any other
 *   msi-hold        while this file exists, msiexec keeps running before it does anything
 *   msiexec.log     one line per start of msiexec: its command line
 *   executor.log    one line per start of StandaloneBpaExecutor: its command line
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <bcrypt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlhelp32.h>
#include <wchar.h>

#define HOME L"C:\\standins"
#define UPGRADES L"C:\\Skyline DataMiner\\Upgrades"
#define LONGEST 8192

/* Prints formatted text as UTF-8 with CRLF, whatever the C runtime's text mode would do. */
static void say(DWORD where, const wchar_t *format, ...)
{
    wchar_t text[LONGEST];
    char bytes[LONGEST * 3];
    va_list args;
    va_start(args, format);
    int length = _vsnwprintf(text, LONGEST - 1, format, args);
    va_end(args);
    if (length < 0)
        length = LONGEST - 1;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, length, bytes, sizeof bytes, NULL, NULL);
    DWORD done;
    WriteFile(GetStdHandle(where), bytes, size, &done, NULL);
}

#define out(...) say(STD_OUTPUT_HANDLE, __VA_ARGS__)
#define err(...) say(STD_ERROR_HANDLE, __VA_ARGS__)

/* The whole file, with two zero bytes behind it, or NULL. */
static char *read_all(const wchar_t *path, DWORD *size)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    DWORD length = GetFileSize(file, NULL), done = 0;
    char *bytes = calloc(1, (size_t)length + 2);
    if (bytes && !ReadFile(file, bytes, length, &done, NULL))
        done = 0;
    CloseHandle(file);
    if (size)
        *size = done;
    return bytes;
}

/* Adds UTF-8 text to the end of a file in one write. */
static int append(const wchar_t *path, const wchar_t *text)
{
    char bytes[LONGEST * 3];
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof bytes, NULL, NULL) - 1;
    HANDLE file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return 0;
    DWORD done = 0;
    BOOL ok = WriteFile(file, bytes, size, &done, NULL);
    CloseHandle(file);
    return ok && done == (DWORD)size;
}

static int exists(const wchar_t *path)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* The argument behind a switch such as /tn, compared without case. */
static const wchar_t *value_of(int argc, wchar_t **argv, const wchar_t *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!_wcsicmp(argv[i], name))
            return argv[i + 1];
    return NULL;
}

static int has(int argc, wchar_t **argv, const wchar_t *name)
{
    for (int i = 1; i < argc; i++)
        if (!_wcsicmp(argv[i], name))
            return 1;
    return 0;
}

/* ---- launch: what sshd does with an exec request ------------------------------------------------------- */

/* Runs the raw command line of the environment in a job that dies with this process, as OpenSSH for Windows
 * does with the processes of a channel; only a scheduled task gets out of it. */
static int launch(void)
{
    wchar_t line[LONGEST];
    DWORD length = GetEnvironmentVariableW(L"STANDINS_COMMAND", line, LONGEST);
    if (length == 0 || length >= LONGEST) {
        err(L"launch: STANDINS_COMMAND is empty or too long\r\n");
        return 9009;
    }
    SetEnvironmentVariableW(L"STANDINS_COMMAND", NULL);
    HANDLE job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    STARTUPINFOW startup = {.cb = sizeof startup};
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    PROCESS_INFORMATION process;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, L"C:\\", &startup, &process)) {
        err(L"launch: error %lu at: %ls\r\n", GetLastError(), line);
        return 9009;
    }
    AssignProcessToJobObject(job, process.hProcess);
    ResumeThread(process.hThread);
    WaitForSingleObject(process.hProcess, INFINITE);
    DWORD code = 1;
    GetExitCodeProcess(process.hProcess, &code);
    if ((code & 0xff) == 127) {
        /* A channel shows 8 bits, and these say that Wine did not start: host.sh tries such a start again. */
        err(L"launch: error code %lu of: %ls\r\n", code, line);
        return 255;
    }
    return (int)code;
}

/* ---- schtasks ------------------------------------------------------------------------------------------ */

/* The text of one XML element, with the five entities undone. */
static int element(const wchar_t *xml, const wchar_t *name, wchar_t *text, size_t room)
{
    wchar_t open[64], shut[64];
    _snwprintf(open, 64, L"<%ls>", name);
    _snwprintf(shut, 64, L"</%ls>", name);
    const wchar_t *from = wcsstr(xml, open);
    if (!from)
        return 0;
    from += wcslen(open);
    const wchar_t *to = wcsstr(from, shut);
    if (!to)
        return 0;
    static const struct {
        const wchar_t *name;
        wchar_t plain;
    } entities[] = {{L"&lt;", L'<'}, {L"&gt;", L'>'}, {L"&quot;", L'"'}, {L"&apos;", L'\''}, {L"&amp;", L'&'}};
    size_t n = 0;
    while (from < to && n + 1 < room) {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof entities / sizeof *entities && !skip; i++)
            if (!wcsncmp(from, entities[i].name, wcslen(entities[i].name))) {
                text[n++] = entities[i].plain;
                skip = wcslen(entities[i].name);
            }
        if (!skip) {
            text[n++] = *from;
            skip = 1;
        }
        from += skip;
    }
    text[n] = 0;
    return 1;
}

static int schtasks_create(const wchar_t *task, const wchar_t *file, int force)
{
    wchar_t command[LONGEST / 2], arguments[LONGEST / 2] = L"", line[LONGEST];
    DWORD size;
    char *bytes = file ? read_all(file, &size) : NULL;
    if (!bytes) {
        err(L"ERROR: The system cannot find the file specified.\r\n");
        return 1;
    }
    /* Task Scheduler writes and wants UTF-16 with a byte order mark. */
    if (size < 2 || (unsigned char)bytes[0] != 0xff || (unsigned char)bytes[1] != 0xfe) {
        err(L"ERROR: The task XML is malformed.\r\n(1,40)::ERROR: unable to switch the encoding\r\n");
        return 1;
    }
    const wchar_t *xml = (const wchar_t *)(bytes + 2);
    if (!wcsstr(xml, L"http://schemas.microsoft.com/windows/2004/02/mit/task") ||
        !element(xml, L"Command", command, LONGEST / 2)) {
        err(L"ERROR: The task XML is missing a required element or attribute.\r\n");
        return 1;
    }
    element(xml, L"Arguments", arguments, LONGEST / 2);
    if (!force && exists(task)) {
        err(L"ERROR: Cannot create a file when that file already exists.\r\n");
        return 1;
    }
    DeleteFileW(task);
    _snwprintf(line, LONGEST, L"%ls %ls", command, arguments);
    if (!append(task, line)) {
        err(L"ERROR: Access is denied.\r\n");
        return 1;
    }
    out(L"SUCCESS: The scheduled task has successfully been created.\r\n");
    return 0;
}

static int schtasks_run(const wchar_t *task)
{
    DWORD size;
    char *bytes = read_all(task, &size);
    wchar_t line[LONGEST] = L"";
    if (!bytes) {
        err(L"ERROR: The system cannot find the file specified.\r\n");
        return 1;
    }
    MultiByteToWideChar(CP_UTF8, 0, bytes, size, line, LONGEST - 1);
    /* A task gets nothing from the one who asked for it: neither handles nor console nor job. */
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE,
                        CREATE_BREAKAWAY_FROM_JOB | CREATE_NEW_CONSOLE | CREATE_NEW_PROCESS_GROUP, NULL,
                        L"C:\\windows\\system32", &startup, &process)) {
        err(L"ERROR: %lu at: %ls\r\n", GetLastError(), line);
        return 1;
    }
    out(L"SUCCESS: Attempted to run the scheduled task.\r\n");
    return 0;
}

static int schtasks(int argc, wchar_t **argv)
{
    const wchar_t *name = value_of(argc, argv, L"/tn");
    wchar_t task[MAX_PATH];
    if (!name || wcspbrk(name, L"\\/:*?\"<>|") || wcslen(name) > 120) {
        err(L"ERROR: Invalid syntax.\r\n");
        return 1;
    }
    CreateDirectoryW(HOME L"\\tasks", NULL);
    _snwprintf(task, MAX_PATH, HOME L"\\tasks\\%ls", name);
    if (has(argc, argv, L"/create"))
        return schtasks_create(task, value_of(argc, argv, L"/xml"), has(argc, argv, L"/f"));
    if (has(argc, argv, L"/run"))
        return schtasks_run(task);
    if (has(argc, argv, L"/delete")) {
        if (DeleteFileW(task)) {
            out(L"SUCCESS: The scheduled task was successfully deleted.\r\n");
            return 0;
        }
        err(L"ERROR: The system cannot find the file specified.\r\n");
        return 1;
    }
    err(L"ERROR: Invalid syntax.\r\n");
    return 1;
}

/* ---- certutil ------------------------------------------------------------------------------------------ */

static int certutil(int argc, wchar_t **argv)
{
    if (argc != 4 || _wcsicmp(argv[1], L"-hashfile") || _wcsicmp(argv[3], L"SHA256")) {
        err(L"CertUtil: Unknown command\r\n");
        return (int)0x80070057;
    }
    HANDLE file = CreateFileW(argv[2], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN,
                              NULL);
    if (file == INVALID_HANDLE_VALUE) {
        DWORD code = GetLastError();
        out(L"CertUtil: -hashfile command FAILED: 0x8007%04lx (WIN32: %lu)\r\n", code, code);
        out(L"CertUtil: The system cannot find the file specified.\r\n");
        return (int)(0x80070000 | code);
    }
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    unsigned char digest[32];
    static unsigned char block[1 << 16];
    DWORD got;
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0) ||
        BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0))
        return (int)0x80090020;
    while (ReadFile(file, block, sizeof block, &got, NULL) && got)
        BCryptHashData(hash, block, got, 0);
    CloseHandle(file);
    BCryptFinishHash(hash, digest, sizeof digest, 0);
    out(L"SHA256 hash of %ls:\r\n", argv[2]);
    for (int i = 0; i < 32; i++)
        out(L"%02x", digest[i]);
    out(L"\r\nCertUtil: -hashfile command completed successfully.\r\n");
    return 0;
}

/* ---- tasklist, fsutil, sc, icacls, ping ------------------------------------------------------------------ */

static int tasklist(int argc, wchar_t **argv)
{
    const wchar_t *format = value_of(argc, argv, L"/fo");
    if (!format || _wcsicmp(format, L"csv") || !has(argc, argv, L"/nh")) {
        err(L"ERROR: the stand-in knows only: tasklist /fo csv /nh\r\n");
        return 1;
    }
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry))
        out(L"\"%ls\",\"%lu\",\"Services\",\"0\",\"12,345 K\"\r\n", entry.szExeFile, entry.th32ProcessID);
    CloseHandle(all);
    DWORD size;
    char *more = read_all(HOME L"\\processes.csv", &size);
    DWORD done;
    if (more)
        WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), more, size, &done, NULL);
    return 0;
}

static int fsutil(int argc, wchar_t **argv)
{
    ULARGE_INTEGER available, total, free;
    if (argc != 4 || _wcsicmp(argv[1], L"volume") || _wcsicmp(argv[2], L"diskfree") ||
        !GetDiskFreeSpaceExW(argv[3], &available, &total, &free)) {
        out(L"Error:  The system cannot find the path specified.\r\n");
        return 1;
    }
    /* Server 2019 prints thousands separators and a size in brackets behind each figure. */
    out(L"Total free bytes        : %I64u (%I64u.0 GB)\r\n", free.QuadPart, free.QuadPart >> 30);
    out(L"Total bytes             : %I64u (%I64u.0 GB)\r\n", total.QuadPart, total.QuadPart >> 30);
    out(L"Total quota free bytes  : %I64u (%I64u.0 GB)\r\n", available.QuadPart, available.QuadPart >> 30);
    return 0;
}

static int sc(int argc, wchar_t **argv)
{
    if (argc != 3 || _wcsicmp(argv[1], L"query")) {
        out(L"[SC] the stand-in knows only: sc query NAME\r\n");
        return 1639;
    }
    char wanted[256] = "", *running = read_all(HOME L"\\services.txt", NULL);
    WideCharToMultiByte(CP_UTF8, 0, argv[2], -1, wanted, sizeof wanted, NULL, NULL);
    for (char *name = running ? strtok(running, "\r\n") : NULL; name; name = strtok(NULL, "\r\n"))
        if (!_stricmp(name, wanted)) {
            out(L"\r\nSERVICE_NAME: %ls \r\n", argv[2]);
            out(L"        TYPE               : 10  WIN32_OWN_PROCESS  \r\n");
            out(L"        STATE              : 4  RUNNING \r\n");
            out(L"                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n");
            out(L"        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n");
            out(L"        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n");
            return 0;
        }
    out(L"[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\n");
    out(L"The specified service does not exist as an installed service.\r\n\r\n");
    return 1060;
}

static int icacls(int argc, wchar_t **argv)
{
    WIN32_FIND_DATAW found;
    HANDLE search = argc < 2 ? INVALID_HANDLE_VALUE : FindFirstFileW(argv[1], &found);
    if (search == INVALID_HANDLE_VALUE) {
        err(L"%ls: The system cannot find the file specified.\r\n", argc < 2 ? L"" : argv[1]);
        return 2;
    }
    out(L"processed file: %ls\r\nSuccessfully processed 1 files; Failed processing 0 files\r\n", argv[1]);
    return 0;
}

/* Scripts sleep with ping: one second between two packets, or as many milliseconds as a test asks for. */
static int ping(int argc, wchar_t **argv)
{
    const wchar_t *count = value_of(argc, argv, L"-n");
    char *pause = read_all(HOME L"\\ping", NULL);
    int n = count ? _wtoi(count) : 4;
    for (int i = 0; i < n; i++) {
        if (i)
            Sleep(pause ? atoi(pause) : 1000);
        out(L"Reply from %ls: bytes=32 time<1ms TTL=128\r\n", argv[argc - 1]);
    }
    return 0;
}

/* ---- SLTaskbarUtility -------------------------------------------------------------------------------------- */

static void stamp(wchar_t *text, size_t room)
{
    SYSTEMTIME now;
    GetLocalTime(&now);
    _snwprintf(text, room, L"%04d-%02d-%02d %02d:%02d:%02d", now.wYear, now.wMonth, now.wDay, now.wHour, now.wMinute,
               now.wSecond);
}

/* Writes one line of progress.log for every Agent of the UpgradeInfo file. */
static void progress(const wchar_t *log, char **agents, int count, const wchar_t *level, const wchar_t *text)
{
    wchar_t when[32], line[LONGEST];
    stamp(when, 32);
    for (int i = 0; i < count; i++) {
        _snwprintf(line, LONGEST, L"%hs|%ls|%ls|%ls\r\n", agents[i], when, level, text);
        append(log, line);
    }
}

static int utility(int argc, wchar_t **argv)
{
    wchar_t text[LONGEST];
    _snwprintf(text, LONGEST, L"%ls\r\n", GetCommandLineW());
    append(HOME L"\\utility.log", text);
    if (argc != 4 || _wcsicmp(argv[1], L"-upgrade") || !exists(argv[2]))
        return 87;
    char *info = read_all(argv[3], NULL), *agents[256];
    int count = 0;
    if (!info || !strstr(info, "<UpgradeInfo>"))
        return 13;
    for (char *ip = strstr(info, "<IP>"); ip && count < 256; ip = strstr(ip, "<IP>")) {
        ip += 4;
        char *end = strstr(ip, "</IP>");
        if (!end)
            return 13;
        *end = 0;
        agents[count++] = ip;
        ip = end + 1;
    }
    if (!count)
        return 13;

    const wchar_t *name = wcsrchr(argv[2], L'\\');
    name = name ? name + 1 : argv[2];
    wchar_t folder[MAX_PATH], log[MAX_PATH];
    _snwprintf(folder, MAX_PATH, UPGRADES L"\\Packages\\%ls-%016I64x%016I64x", name, (ULONGLONG)GetCurrentProcessId(),
               (ULONGLONG)GetTickCount64());
    _snwprintf(log, MAX_PATH, L"%ls\\progress.log", folder);
    CreateDirectoryW(L"C:\\Skyline DataMiner", NULL);
    CreateDirectoryW(UPGRADES, NULL);
    CreateDirectoryW(UPGRADES L"\\Packages", NULL);
    if (!CreateDirectoryW(folder, NULL))
        return 5;
    progress(log, agents, count, L"step", L"Starting upgrade...");
    while (exists(HOME L"\\hold"))
        Sleep(20);
    /* The product deletes the package it was given. */
    DeleteFileW(argv[2]);
    char *code = read_all(HOME L"\\exitcode", NULL);
    DWORD result = code ? strtoul(code, NULL, 10) : 0;
    if (result) {
        progress(log, agents, count, L"error", L"Upgrade failed: the stand-in was told so");
        return (int)result;
    }
    char *version = read_all(HOME L"\\version", NULL);
    if (version) {
        version[strcspn(version, "\r\n")] = 0;
        wchar_t when[32];
        stamp(when, 32);
        _snwprintf(text, LONGEST, L"%ls;%hs\r\n", when, version);
        append(UPGRADES L"\\VersionHistory.txt", text);
        DeleteFileW(HOME L"\\version");
    }
    progress(log, agents, count, L"information", L"Upgrade finished");
    return 0;
}

/* ---- msiexec --------------------------------------------------------------------------------------------- */

#define UNINSTALL L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\"

static int put_value(HKEY key, const wchar_t *name, const char *text)
{
    wchar_t wide[256];
    int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, 256);
    return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)wide, length * sizeof *wide) == ERROR_SUCCESS;
}

/* An installer here is three lines of text: product code, name, version. */
static int msi_install(const wchar_t *file)
{
    wchar_t path[512], code[64];
    char *text = read_all(file, NULL);
    if (!text)
        return 1619;
    char *lines[3] = {strtok(text, "\r\n"), strtok(NULL, "\r\n"), strtok(NULL, "\r\n")};
    if (!lines[0] || lines[0][0] != '{' || !lines[1] || !lines[2])
        return 1620;
    MultiByteToWideChar(CP_UTF8, 0, lines[0], -1, code, 64);
    _snwprintf(path, 512, UNINSTALL L"%ls", code);
    HKEY key;
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL) != ERROR_SUCCESS)
        return 1603;
    int ok = put_value(key, L"DisplayName", lines[1]) && put_value(key, L"DisplayVersion", lines[2]);
    RegCloseKey(key);
    return ok ? 0 : 1603;
}

static int msi_remove(const wchar_t *code)
{
    wchar_t path[512];
    _snwprintf(path, 512, UNINSTALL L"%ls", code);
    return RegDeleteKeyW(HKEY_LOCAL_MACHINE, path) == ERROR_SUCCESS ? 0 : 1605;
}

static int msiexec(int argc, wchar_t **argv)
{
    wchar_t text[LONGEST];
    _snwprintf(text, LONGEST, L"%ls\r\n", GetCommandLineW());
    append(HOME L"\\msiexec.log", text);
    const wchar_t *install = value_of(argc, argv, L"/i"), *remove = value_of(argc, argv, L"/x");
    const wchar_t *log = value_of(argc, argv, L"/l*v");
    /* Without /qn it would wait for somebody to click. */
    if (!install == !remove || !has(argc, argv, L"/qn") || !has(argc, argv, L"/norestart") || !log)
        return 1639;
    if (!append(log, L"=== Verbose logging started ===\r\n"))
        return 1622;
    while (exists(HOME L"\\msi-hold"))
        Sleep(20);
    char *code = read_all(HOME L"\\msi-exitcode", NULL);
    int wanted = code ? atoi(code) : 0;
    if (wanted && wanted != 3010)
        return wanted;
    int done = install ? msi_install(install) : msi_remove(remove);
    return done ? done : wanted;
}

/* ---- StandaloneBpaExecutor -------------------------------------------------------------------------------- */

/* A check here is a file whose text is the outcome that it comes to; `silent` leaves no result. The layout of the
 * result is invented around the documented property. Exit code 0 whatever was found, as before 10.6.7/10.7.0. */
static int executor(int argc, wchar_t **argv)
{
    wchar_t text[LONGEST];
    _snwprintf(text, LONGEST, L"%ls\r\n", GetCommandLineW());
    append(HOME L"\\executor.log", text);
    const wchar_t *result = value_of(argc, argv, L"-f"), *check = NULL;
    for (int i = 1; i < argc; i++)
        if (!wcsncmp(argv[i], L"--", 2))
            check = argv[i] + 2;
    char *outcome = check ? read_all(check, NULL) : NULL;
    if (!result || !outcome) {
        err(L"StandaloneBpaExecutor: no result file or no test\r\n");
        return 0;
    }
    outcome[strcspn(outcome, "\r\n")] = 0;
    out(L"Executing %ls\r\n", check);
    if (!strcmp(outcome, "silent"))
        return 0;
    DeleteFileW(result);
    _snwprintf(text, LONGEST, L"[ { \"Outcome\": \"%hs\", \"ResultMessage\": \"the stand-in was told so\" } ]\r\n", outcome);
    append(result, text);
    return 0;
}

/* ---- the door ------------------------------------------------------------------------------------------- */

int wmain(int argc, wchar_t **argv)
{
    wchar_t path[MAX_PATH];
    GetModuleFileNameW(NULL, path, MAX_PATH);
    const wchar_t *name = wcsrchr(path, L'\\');
    name = name ? name + 1 : path;
    CreateDirectoryW(HOME, NULL);
    if (!_wcsicmp(name, L"launch.exe"))
        return launch();
    if (!_wcsicmp(name, L"schtasks.exe"))
        return schtasks(argc, argv);
    if (!_wcsicmp(name, L"certutil.exe"))
        return certutil(argc, argv);
    if (!_wcsicmp(name, L"tasklist.exe"))
        return tasklist(argc, argv);
    if (!_wcsicmp(name, L"fsutil.exe"))
        return fsutil(argc, argv);
    if (!_wcsicmp(name, L"sc.exe"))
        return sc(argc, argv);
    if (!_wcsicmp(name, L"icacls.exe"))
        return icacls(argc, argv);
    if (!_wcsicmp(name, L"ping.exe"))
        return ping(argc, argv);
    if (!_wcsicmp(name, L"msiexec.exe"))
        return msiexec(argc, argv);
    if (!_wcsicmp(name, L"SLTaskbarUtility.exe"))
        return utility(argc, argv);
    if (!_wcsicmp(name, L"StandaloneBpaExecutor.exe"))
        return executor(argc, argv);
    err(L"%ls: no stand-in has this name\r\n", name);
    return 9009;
}
