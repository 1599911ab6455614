//! Batch files that two interpreters must understand alike: Wine's cmd and the simulator's.
//!
//! They use what the Agent scripts use. Where both agree, the simulator is more than our own opinion of cmd.

use dataminer_reconciler_tests::{dms, environment::skip_or_fail, ssh::Ssh, wine::WineHost};
use dms_simulator::ClusterSpec;

/// Name, batch file, what it prints with `one` and `two words` as arguments, and its exit code.
const CORPUS: &[(&str, &str, &str, i32)] = &[
    (
        "echo",
        r#"@echo off
echo plain
echo two  blanks
echo "quoted > not a file"
echo C:\Program Files (x86)\x
echo end"#,
        "plain\ntwo  blanks\n\"quoted > not a file\"\nC:\\Program Files (x86)\\x\nend\n",
        0,
    ),
    (
        "arguments",
        r#"@echo off
echo %1
echo %2
echo %~2
echo [%3]
call :sub inner "a b"
echo %1
exit /b 4
:sub
echo %1 %2
exit /b 0"#,
        "one\n\"two words\"\ntwo words\n[]\ninner \"a b\"\none\n",
        4,
    ),
    (
        "variables",
        r#"@echo off
setlocal
set "A=with blank"
set "B=%A%"
echo %B%
echo %B: =%
echo %B: =_%
set "A="
if defined A echo A
if not defined A echo no A
if "%B%"=="with blank" echo same
if /i "%B%"=="WITH BLANK" echo same but case
if not "%B%"=="WITH BLANK" echo not same
set N=7
set /a N=N+1
echo %N%
if %N% geq 8 echo geq
if %N% gtr 8 echo gtr
if %N% lss 10 echo lss"#,
        "with blank\nwithblank\nwith_blank\nno A\nsame\nsame but case\nnot same\n8\ngeq\nlss\n",
        0,
    ),
    (
        "flow",
        r#"@echo off
setlocal
set COUNT=0
:again
set /a COUNT=COUNT+1
if %COUNT% geq 3 goto done
goto again
echo never
:done
echo %COUNT%
set "IN="
call :mark
if defined IN echo set inside
call :code
if errorlevel 5 echo five
if errorlevel 6 echo six
echo %ERRORLEVEL%
exit /b %COUNT%
:mark
set "IN=1"
exit /b 0
:code
exit /b 5"#,
        "3\nset inside\nfive\n5\n",
        3,
    ),
    (
        "files",
        r#"@echo off
setlocal
set "HERE=C:\ProgramData\corpus-files"
md "%HERE%\sub folder"
if exist "%HERE%\sub folder\" echo folder
>"%HERE%\sub folder\a.txt" echo first
>>"%HERE%\sub folder\a.txt" echo second
if exist "%HERE%\sub folder\a.txt" echo file
if not exist "%HERE%\sub folder\b.txt" echo no b
copy /b /y "%HERE%\sub folder\a.txt" "%HERE%\sub folder\b.txt" >nul
if errorlevel 1 echo not copied
type "%HERE%\sub folder\b.txt"
ren "%HERE%\sub folder\b.txt" c.txt
if exist "%HERE%\sub folder\c.txt" echo renamed
copy /b /y "%HERE%\sub folder\missing.txt" "%HERE%\sub folder\d.txt" >nul 2>nul
if errorlevel 1 echo missing
del "%HERE%\sub folder\c.txt"
if not exist "%HERE%\sub folder\c.txt" echo deleted"#,
        "folder\nfile\nno b\nfirst\nsecond\nrenamed\nmissing\ndeleted\n",
        0,
    ),
    (
        "for",
        r#"@echo off
setlocal
set "HERE=C:\ProgramData\corpus-for"
md %HERE%\order
md %HERE%\order\0000000002
md %HERE%\order\0000000010
md %HERE%\order\0000000009
>%HERE%\order\file echo x
set "NEWEST="
for /f %%g in ('dir /b /ad /on "%HERE%\order"') do set "NEWEST=%%g"
echo %NEWEST%
>%HERE%\lines.txt echo head line
>>%HERE%\lines.txt echo aa bb cc
>>%HERE%\lines.txt echo dd
for /f "usebackq" %%l in ("%HERE%\lines.txt") do echo [%%l]
set "GOT="
for /f "usebackq skip=1 delims=" %%h in ("%HERE%\lines.txt") do if not defined GOT set "GOT=%%h"
echo %GOT%
for /f "delims=" %%f in ('dir /b /a-d %HERE%\order') do echo %%f"#,
        "0000000010\n[head]\n[aa]\n[dd]\naa bb cc\nfile\n",
        0,
    ),
    (
        "lock",
        r#"@echo off
setlocal
set "HERE=C:\ProgramData\corpus-lock"
call :outer >%HERE%\lock.txt
type %HERE%\lock.txt
exit /b 0
:outer
set "GOT=no"
call :inner >>%HERE%\lock.txt 2>nul
echo inside=%GOT%
exit /b 0
:inner
set "GOT=yes"
exit /b 0"#,
        "inside=no\n",
        0,
    ),
];

/// Runs the corpus on a host whose drive C: may be written through SFTP.
fn run_corpus(ssh: &Ssh) {
    let local = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text, stdout, code) in CORPUS {
        let file = local.path().join("script.cmd");
        std::fs::write(&file, text.replace('\n', "\r\n")).expect("a temporary file can be written");
        let folder = format!("ProgramData/corpus-{name}");
        let batch = format!("mkdir /C:/{folder}\nput {} /C:/{folder}/script.cmd\n", file.display());
        ssh.sftp(&batch).expect_status(0);
        let ended = ssh
            .exec(&format!(r#"cmd.exe /d /c C:\{}\script.cmd one "two words""#, folder.replace('/', "\\")));
        assert_eq!(ended.stdout.replace("\r\n", "\n"), *stdout, "{name}: {}", ended.stderr);
        assert_eq!(ended.status, Some(*code), "{name}");
    }
}

#[test]
fn wine_understands_the_corpus() {
    let Some(host) = WineHost::start() else { return };
    run_corpus(&host.ssh());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulator_understands_the_corpus_alike() {
    let cluster = ClusterSpec::new("c", vec![dms::agent("dma-01", 1, "10.5.0 CU9")]);
    let (simulation, _installation) = dms::start(vec![cluster]).await.expect("the simulation starts");
    let agent = &simulation.agents()[0];
    let ssh = Ssh {
        port: agent.addr.port(),
        user: agent.user.clone(),
        identity: agent.client_key.clone().into_std_path_buf(),
    };
    if !ssh.present() {
        return skip_or_fail("OpenSSH's ssh and sftp are not installed");
    }
    tokio::task::spawn_blocking(move || run_corpus(&ssh)).await.expect("the corpus runs to its end");
}
