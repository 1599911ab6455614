@echo off
rem One job: the frame that all kinds share. The work itself is put in at the end; it finishes by `goto ended` with
rem CODE, or by `goto refuse` with REASON if it changed nothing.
rem All values were checked by the sender: none holds a quote, percent sign or other special character.
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
set "JOB=%ROOT%\jobs\{job}"
set "GENERATION={generation}"
set TRIES=0

:lock
set "INSIDE="
call :body >"%ROOT%\active.lock"
if defined INSIDE exit /b 0
set /a TRIES=TRIES+1
if %TRIES% geq 30 goto busy
ping -n 2 127.0.0.1 >nul
goto lock

:busy
rem The lock may be held by this very job, started twice: that one speaks for it.
if exist "%JOB%\started.txt" exit /b 0
>"%JOB%\refused.txt" echo lock
exit /b 1

:body
set "INSIDE=1"
if exist "%JOB%\started.txt" exit /b 0
if exist "%JOB%\exitcode.txt" exit /b 0
set "NEWEST="
for /f %%g in ('dir /b /ad /on "%ROOT%\generations"') do set "NEWEST=%%g"
set "REASON=generation"
if not "%NEWEST%"=="%GENERATION%" goto refuse
>"%JOB%\started.txt" echo %GENERATION%
goto work

:ended
>"%JOB%\exitcode.tmp" echo %CODE%
ren "%JOB%\exitcode.tmp" exitcode.txt
exit /b 0

:refuse
>"%JOB%\refused.txt" echo %REASON%
exit /b 0

{work}
